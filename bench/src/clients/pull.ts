// Pulls an image as an engine does: manifest by tag, config, then layers, three at once; every byte
// is hashed. The time runs from the first request to the last verified byte.
import { Agent } from 'undici';
import type { Content } from '../lib/content.ts';
import { blobPath, type Image, manifestMediaType, manifestPath, tag } from '../lib/image.ts';
import { readOptions, writeResult } from './client.ts';
import { fetchChecked } from './fetch-blob.ts';

export interface PullOptions {
  readonly url: string;
  readonly image: Image;
}

export interface PullResult {
  readonly seconds: number;
  readonly wrong: readonly string[];
}

/** dockerd's and containerd's default. */
const parallelLayers = 3;

async function pull({ url, image }: PullOptions): Promise<PullResult> {
  const dispatcher = new Agent({ connections: parallelLayers });
  const startedAt = performance.now();
  const wrong: (string | undefined)[] = [];
  const fetchBlob = async (content: Content): Promise<void> => {
    wrong.push(await fetchChecked(`${url}${blobPath(content.digest)}`, content, { dispatcher }));
  };
  wrong.push(
    await fetchChecked(`${url}${manifestPath(tag)}`, image.manifest, {
      accept: manifestMediaType,
      dispatcher,
    }),
  );
  await fetchBlob(image.config);
  const queue = [...image.layers];
  const work = async (): Promise<void> => {
    for (let layer = queue.shift(); layer !== undefined; layer = queue.shift()) {
      await fetchBlob(layer);
    }
  };
  await Promise.all(Array.from({ length: parallelLayers }, work));
  const seconds = (performance.now() - startedAt) / 1e3;
  await dispatcher.close();
  return { seconds, wrong: wrong.filter((problem) => problem !== undefined) };
}

writeResult(await pull(readOptions<PullOptions>()));
