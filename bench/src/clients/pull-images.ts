// Pulls images of the corpus one after another, each layer once.
import { Agent } from 'undici';
import { loadCorpus } from '../corpus/corpus-file.ts';
import { readOptions, writeResult } from './client.ts';
import { type PulledLayer, pullSession } from './pull-session.ts';

export interface PullImagesOptions {
  readonly url: string;
  /** Folder of the corpus. */
  readonly corpus: string;
  /** Digests of the manifests; in the order of the corpus. */
  readonly manifests: readonly string[];
}

export interface PullImagesResult {
  readonly layers: readonly PulledLayer[];
  readonly wrong: readonly string[];
}

async function pullAll(options: PullImagesOptions): Promise<PullImagesResult> {
  const dispatcher = new Agent();
  const held = new Set<string>();
  const layers: PulledLayer[] = [];
  const wrong: string[] = [];
  for (const image of await loadCorpus(options.corpus)) {
    if (!options.manifests.includes(image.manifest)) {
      continue;
    }
    const wanted = image.layers.filter(({ digest }) => !held.has(digest));
    const pulled = await pullSession({ url: options.url, image, layers: wanted, dispatcher });
    layers.push(...pulled.layers);
    wrong.push(...pulled.wrong);
    for (const { digest } of pulled.layers) {
      held.add(digest);
    }
  }
  await dispatcher.close();
  return { layers, wrong };
}

writeResult(await pullAll(readOptions<PullImagesOptions>()));
