// The layers and compressors that the core is measured with.
import type { Compressor } from 'mica-core/streams/compressor';
import {
  availableCompressors,
  matrixCompressors,
  REPRESENTATIVE_COMPRESSORS,
} from 'mica-core/streams/compressors';
import { LAYER_NAMES, type Layer, type LayerSize } from 'mica-core/streams/layer';
import { makeLayer } from 'mica-core/streams/layers';
import { makeStreams, type Stream } from 'mica-core/streams/streams';
import { startProgress } from '../lib/progress.ts';

/** Compressors at the levels that nearly all images are made with: those with aims for their sizes. */
export const commonCompressors: readonly string[] = [
  ...['go-1.26-1', 'go-1.26-6'],
  ...['go-1.27-1', 'go-1.27-5', 'go-1.27-6'],
  ...['klauspost-1.20.4-1', 'klauspost-1.20.4-5', 'klauspost-1.20.4-6'],
  ...['pgzip-1.3.0-klauspost-1.20.4-1', 'pgzip-1.3.0-klauspost-1.20.4-5'],
  ...['pgzip-1.3.0-klauspost-1.20.4-6'],
  ...['zlib-6', 'zlib-9', 'gzip-6', 'gzip-9', 'pigz-6', 'pigz-9'],
];

/** Layers that speed is measured with. */
export const speedLayers: readonly Layer['name'][] = ['debian', 'python'];

/** Compressors whose streams the speed is measured with. */
export const speedCompressors = {
  go: 'go-1.26-6',
  zlib: 'zlib-6',
  klauspost: 'klauspost-1.20.4-5',
  newGo: 'go-1.27-6',
  pgzip: 'pgzip-1.3.0-klauspost-1.20.4-5',
} as const;

/** What Mica is compared with: Go's gzip as Docker has it, and pigz on one thread. */
export const peerCompressors: readonly string[] = ['go-1.26-6', 'pigz-6-one-thread'];

export async function makeLayers(
  names: readonly Layer['name'][],
  size: LayerSize,
): Promise<readonly Layer[]> {
  const layers: Layer[] = [];
  for (const name of names) {
    layers.push(await makeLayer(name, size));
  }
  return layers;
}

/** Those of the names that can be used here, in the catalogue's order. */
export function findCompressors(names: readonly string[]): readonly Compressor[] {
  return availableCompressors().filter(({ name }) => names.includes(name));
}

/** Streams of `layers`, made unless they are kept from an earlier run. */
export async function makeAll(
  layers: readonly Layer[],
  compressors: readonly Compressor[],
): Promise<readonly Stream[]> {
  const progress = startProgress('making stream', layers.length * compressors.length);
  const onMade = ({ layer, compressor }: Stream): void =>
    progress.step(`${layer.name} ${layer.size}, ${compressor.name}`);
  try {
    return await makeStreams({ layers, compressors, onMade });
  } finally {
    progress.end();
  }
}

export interface CorpusOptions {
  /** Bytes of the layers that speed is measured with. */
  readonly size: LayerSize;
  /** All compressors instead of a representative choice. */
  readonly isMatrix: boolean;
}

/** What is restored and compared, whether its speed is measured or not. */
export async function makeCorpus(options: CorpusOptions): Promise<readonly Stream[]> {
  const { size, isMatrix } = options;
  const chosen = findCompressors([...commonCompressors, ...REPRESENTATIVE_COMPRESSORS]);
  const samples = await makeLayers(LAYER_NAMES, 'small');
  const streams = [...(await makeAll(samples, isMatrix ? matrixCompressors() : chosen))];
  if (size === 'full') {
    const speed = await makeLayers(speedLayers, size);
    streams.push(...(await makeAll(speed, findCompressors(commonCompressors))));
  }
  if (isMatrix && size === 'full') {
    const others = LAYER_NAMES.filter((name) => !speedLayers.includes(name));
    streams.push(...(await makeAll(await makeLayers(others, size), chosen)));
  }
  return streams;
}
