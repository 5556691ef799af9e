// Images are pulled through a server, so that it has them.
import { runClient } from '../clients/client.ts';
import type { PullImagesOptions, PullImagesResult } from '../clients/pull-images.ts';
import type { CorpusImage } from '../corpus/corpus-file.ts';
import type { Bench } from '../lib/bench.ts';
import type { Peer } from '../peers/peer.ts';

/** Pulls each layer of the images once and gives what came; it was compared with its digest. */
export async function pullImages(
  { cleanup }: Pick<Bench, 'cleanup'>,
  server: Pick<Peer, 'name' | 'url'>,
  corpus: string,
  images: readonly CorpusImage[],
): Promise<PullImagesResult> {
  const manifests = images.map(({ manifest }) => manifest);
  const options = { url: server.url, corpus, manifests };
  const run = { cleanup };
  const pulled = await runClient<PullImagesOptions, PullImagesResult>('pull-images', options, run);
  const wrong = pulled.wrong.map((problem) => `${server.name}: ${problem}`);
  return { ...pulled, wrong };
}
