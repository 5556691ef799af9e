// Which layers are tried with which compressors.

import type { Compressor } from '../streams/compressor.ts';
import { matrixCompressors, REPRESENTATIVE_COMPRESSORS } from '../streams/compressors.ts';
import { LAYER_NAMES, type Layer, type LayerName } from '../streams/layer.ts';
import { makeLayer } from '../streams/layers.ts';

export interface Case {
  readonly size: 'small' | 'tiny';
  readonly name: LayerName;
  /** The layer, or why it cannot be made. */
  readonly layer: Layer | Error;
  readonly compressors: readonly Compressor[];
}

/**
 * Makes the layers that are not there. Small ones have many blocks and whole windows; tiny ones can
 * be tried with everything.
 */
export async function makeCases(): Promise<readonly Case[]> {
  const tiny = matrixCompressors();
  const small = tiny.filter(({ name }) => REPRESENTATIVE_COMPRESSORS.includes(name));
  const cases: Case[] = [];
  for (const [size, compressors] of [
    ['small', small],
    ['tiny', tiny],
  ] as const)
    for (const name of LAYER_NAMES) {
      const layer = await makeLayer(name, size).catch((error: unknown) =>
        error instanceof Error ? error : new Error(String(error)),
      );
      cases.push({ size, name, layer, compressors });
    }
  return cases;
}
