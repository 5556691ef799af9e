// The shape of a corpus: how many layers, files and bytes its images have, and how many of them are the
// same, beside what was found of Docker Hub.
import { median, percentile } from '../lib/statistics.ts';
import type { CorpusImage } from './corpus-file.ts';
import type { LayerFiles } from './layer-files.ts';

export interface Shape {
  readonly images: number;
  readonly families: number;
  /** Images by what they were pushed with. */
  readonly tools: Readonly<Record<string, number>>;
  readonly layers: number;
  readonly layersPerImage: number;
  /** Bytes, compressed. */
  readonly medianLayerSize: number;
  readonly p90LayerSize: number;
  /** Tar ÷ compressed. */
  readonly medianCompressionRatio: number;
  readonly medianFilesPerLayer: number;
  /** Share of layers with fewer files than `fewFiles`. */
  readonly smallLayersShare: number;
  readonly medianFilesPerImage: number;
  readonly files: number;
  readonly uniqueFiles: number;
  /** Bytes of layers, each as often as images have it. */
  readonly pulledBytes: number;
  /** Bytes of layers, each once. */
  readonly compressedBytes: number;
  readonly tarBytes: number;
  readonly fileBytes: number;
  readonly uniqueFileBytes: number;
}

/** The paper's round figure: half of the layers of Docker Hub hold fewer. */
const fewFiles = 30;

/** `layers` has each layer of the images, by digest. */
export function measureShape(
  images: readonly CorpusImage[],
  layers: ReadonlyMap<string, LayerFiles>,
): Shape {
  const sizes = new Map(
    images.flatMap((image) => image.layers.map(({ digest, size }) => [digest, size] as const)),
  );
  const unique = [...sizes].map(([digest, size]) => ({ size, ...getLayer(layers, digest) }));
  const files = new Map(unique.flatMap((layer) => layer.files.map(({ id, size }) => [id, size])));
  const filesOf = (image: CorpusImage): number =>
    sum(image.layers.map(({ digest }) => getLayer(layers, digest).files.length));
  return {
    images: images.length,
    families: new Set(images.map(({ family }) => family)).size,
    tools: countBy(images.map(({ tool }) => tool)),
    layers: unique.length,
    layersPerImage: median(images.map((image) => image.layers.length)),
    medianLayerSize: median(unique.map(({ size }) => size)),
    p90LayerSize: percentile(
      unique.map(({ size }) => size),
      0.9,
    ),
    medianCompressionRatio: median(unique.map(({ size, tarSize }) => tarSize / size)),
    medianFilesPerLayer: median(unique.map((layer) => layer.files.length)),
    smallLayersShare:
      unique.filter((layer) => layer.files.length < fewFiles).length / unique.length,
    medianFilesPerImage: median(images.map(filesOf)),
    files: sum(unique.map((layer) => layer.files.length)),
    uniqueFiles: files.size,
    pulledBytes: sum(images.flatMap((image) => image.layers.map(({ size }) => size))),
    compressedBytes: sum(unique.map(({ size }) => size)),
    tarBytes: sum(unique.map(({ tarSize }) => tarSize)),
    fileBytes: sum(unique.flatMap((layer) => layer.files.map(({ size }) => size))),
    uniqueFileBytes: sum([...files.values()]),
  };
}

function getLayer(layers: ReadonlyMap<string, LayerFiles>, digest: string): LayerFiles {
  const layer = layers.get(digest);
  if (layer === undefined) {
    throw new Error(`${digest} was not read`);
  }
  return layer;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function countBy(values: readonly string[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const value of values) {
    counts[value] = (counts[value] ?? 0) + 1;
  }
  return counts;
}
