// Which layers of an image are made ahead, in which order, and where they go.

import type { Digest } from '../oci/digest.ts';
import { MAX_MEMORY_LAYER } from './memory-layers.ts';

/** What is made of a layer that cannot be ready in time, bytes: less than any run keeps of what it gave. */
export const BEGUN_SIZE: number = 3 * 1024 * 1024;

/** A layer that is only a recipe, and that the client has not pulled. */
export interface LayerAhead {
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  /** How long after the manifest the client is expected to ask for it. */
  readonly gapMs: number;
  /** How long it takes to make. */
  readonly restoreMs: number;
}

/** Where what is made ahead goes; `begun`: only the beginning is made, and kept for whoever reads on. */
export type AheadPlace = 'memory' | 'disk' | 'begun';

export interface ChosenLayer extends LayerAhead {
  readonly place: AheadPlace;
}

export interface AheadLimits {
  readonly layers: number;
  /** Bytes that may still be made in memory, and on the disk. */
  readonly memory: number;
  readonly disk: number;
}

/** Those first that are asked for first. What could not be ready in time is begun, if there is time for that. */
export function chooseAhead(layers: readonly LayerAhead[], limits: AheadLimits): ChosenLayer[] {
  const room = { memory: limits.memory, disk: limits.disk };
  const chosen: ChosenLayer[] = [];
  let readyMs = 0;
  for (const layer of [...layers].sort((one, other) => one.gapMs - other.gapMs)) {
    if (chosen.length >= limits.layers) break;
    const place = layer.size <= MAX_MEMORY_LAYER ? 'memory' : 'disk';
    if (layer.size <= room[place] && readyMs + layer.restoreMs <= layer.gapMs) {
      readyMs += layer.restoreMs;
      room[place] -= layer.size;
      chosen.push({ ...layer, place });
    } else if (readyMs < layer.gapMs) {
      readyMs += layer.restoreMs * Math.min(1, BEGUN_SIZE / layer.size);
      chosen.push({ ...layer, place: 'begun' });
    }
  }
  return chosen;
}
