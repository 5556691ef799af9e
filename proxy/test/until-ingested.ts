// Waits until a running server has taken apart all that it was given, as its stats say.

import { setTimeout as delay } from 'node:timers/promises';
import type { LayerStats } from '../src/dedup/layer-stats.ts';
import type { MicaUnderTest } from './server-under-test.ts';

/** How often stats are asked for, ms. */
const POLL_MS = 100;

/** What `/stats` says of layers. */
export async function readLayers({ admin }: Pick<MicaUnderTest, 'admin'>): Promise<LayerStats> {
  const response = await fetch(`${admin}/stats`);
  if (!response.ok) throw new Error(`${admin}/stats: ${response.status}`);
  return (await response.json()) as LayerStats;
}

/**
 * Resolves once the server knows of so many layers, none of them waits, and at most `whole` are there as a
 * whole: a copy goes only after its layer has left the queue.
 */
export async function untilIngested(
  mica: Pick<MicaUnderTest, 'admin'>,
  layers: number,
  whole = Number.POSITIVE_INFINITY,
): Promise<LayerStats> {
  for (;;) {
    const stats = await readLayers(mica);
    const { total, pending, whole: left } = stats.layers;
    if (total >= layers && pending === 0 && left <= whole) return stats;
    await delay(POLL_MS);
  }
}
