// Counts that fade: what happened long ago counts less, without a list of what happened when.

import type { Dated } from './history-table.ts';

/**
 * The time in which a count halves, ms. What is pulled every night stays well above what was pulled once,
 * and a week makes 1/128: the last release makes room for this one.
 */
export const HALF_LIFE_MS: number = 24 * 60 * 60 * 1000;

export interface DecayedCount extends Dated {
  /** The count as it was at `atMs`. */
  readonly count: number;
}

/** What is left of a count. A clock that was set back leaves all of it. */
export function countAt(counted: DecayedCount | undefined, nowMs: number): number {
  if (counted === undefined) return 0;
  return counted.count * 0.5 ** (Math.max(0, nowMs - counted.atMs) / HALF_LIFE_MS);
}

export function addTo(counted: DecayedCount | undefined, nowMs: number, more = 1): DecayedCount {
  return { count: countAt(counted, nowMs) + more, atMs: nowMs };
}

/** Events per second that keep a count where it is. */
export function rateOf(count: number): number {
  return (count * Math.LN2) / (HALF_LIFE_MS / 1000);
}
