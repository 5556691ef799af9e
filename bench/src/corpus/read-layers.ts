// All layers of a corpus, each read once.
import { startProgress } from '../lib/progress.ts';
import { blobFile, type CorpusImage } from './corpus-file.ts';
import { type LayerFiles, readLayerFiles } from './layer-files.ts';

/** Inflating has threads of its own, hashing has this one. */
const parallelReads = 2;

/** Files of each layer, by digest. */
export async function readLayers(
  folder: string,
  images: readonly CorpusImage[],
): Promise<ReadonlyMap<string, LayerFiles>> {
  const digests = new Set(images.flatMap((image) => image.layers.map(({ digest }) => digest)));
  const progress = startProgress('reading layer', digests.size);
  const layers = new Map<string, LayerFiles>();
  const queue = [...digests];
  const worker = async (): Promise<void> => {
    for (let digest = queue.shift(); digest !== undefined; digest = queue.shift()) {
      layers.set(digest, await readLayerFiles(blobFile(folder, digest)));
      progress.step(digest.slice(0, 19));
    }
  };
  await Promise.all(Array.from({ length: parallelReads }, worker));
  progress.end();
  return layers;
}
