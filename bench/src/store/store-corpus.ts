// The images that the store is measured with.
import { type CorpusImage, type CorpusLayer, loadCorpus } from '../corpus/corpus-file.ts';

export interface StoreCorpus {
  readonly folder: string;
  readonly images: readonly CorpusImage[];
  /** Of those images, each once, in their order. */
  readonly layers: readonly CorpusLayer[];
  /** Whether these are all images of the folder; else its size says nothing about them. */
  readonly isWhole: boolean;
}

/** Images of a short run. */
const quickImages = 6;

export async function openStoreCorpus(folder: string, isQuick: boolean): Promise<StoreCorpus> {
  const all = await loadCorpus(folder);
  const images = isQuick ? all.slice(0, quickImages) : all;
  return { folder, images, layers: listLayers(images), isWhole: images.length === all.length };
}

export function listLayers(images: readonly CorpusImage[]): readonly CorpusLayer[] {
  const layers = images.flatMap((image) => image.layers);
  return [...new Map(layers.map((layer) => [layer.digest, layer])).values()];
}

/** Bytes, compressed. */
export function sumSizes(layers: readonly CorpusLayer[]): number {
  return layers.reduce((sum, { size }) => sum + size, 0);
}

/** One image of each family, the first. */
export function pickFamilies(images: readonly CorpusImage[]): readonly CorpusImage[] {
  return images.filter(
    ({ family }, index) => images.findIndex((one) => one.family === family) === index,
  );
}

/** The one whose value is nearest. */
export function pickNearest<T>(
  items: readonly T[],
  pick: (item: T) => number,
  wanted: number,
): T | undefined {
  const distance = (item: T): number => Math.abs(pick(item) - wanted);
  return items.toSorted((one, other) => distance(one) - distance(other))[0];
}
