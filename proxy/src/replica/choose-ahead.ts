// Which layers of an image are made ahead, in which order, and where they go.

import type { Digest } from '../oci/digest.ts';
import { MAX_MEMORY_LAYER } from './memory-layers.ts';

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

export interface ChosenLayer extends LayerAhead {
  readonly place: 'memory' | 'disk';
}

export interface AheadLimits {
  readonly layers: number;
  /** Bytes that may still be made in memory, and on the disk. */
  readonly memory: number;
  readonly disk: number;
}

/**
 * Those first that are asked for first. What could not be ready in time is left to the client's own request,
 * as it would only make that one wait.
 */
export function chooseAhead(layers: readonly LayerAhead[], limits: AheadLimits): ChosenLayer[] {
  const room = { memory: limits.memory, disk: limits.disk };
  const chosen: ChosenLayer[] = [];
  let readyMs = 0;
  for (const layer of [...layers].sort((one, other) => one.gapMs - other.gapMs)) {
    if (chosen.length >= limits.layers) break;
    const place = layer.size <= MAX_MEMORY_LAYER ? 'memory' : 'disk';
    if (layer.size > room[place] || readyMs + layer.restoreMs > layer.gapMs) continue;
    readyMs += layer.restoreMs;
    room[place] -= layer.size;
    chosen.push({ ...layer, place });
  }
  return chosen;
}
