// Counts that read the whole store, made when they are asked for and not more often than they are worth.

import type { Clock } from '../runtime/runtime.ts';

/** A count is shown so many times as long as it took: counting is 2 % of the time at most. */
const AGE_RATIO = 50;

export interface CachedCountOptions<T> {
  readonly clock: Pick<Clock, 'now'>;
  /** How long a count is shown at least, ms. */
  readonly ageMs: number;
  read(): Promise<T>;
}

/** Counts when the last count is old. Who asks meanwhile waits for the count that is being made. */
export function cachedCount<T>({ clock, ageMs, read }: CachedCountOptions<T>): () => Promise<T> {
  let last: { readonly count: Promise<T>; untilMs: number } | undefined;
  const begin = () => {
    const startMs = clock.now();
    const begun = { count: read(), untilMs: Number.POSITIVE_INFINITY };
    const end = () => {
      const endMs = clock.now();
      begun.untilMs = endMs + Math.max(ageMs, AGE_RATIO * (endMs - startMs));
    };
    // Whoever asked is told of a failure; the next one tries again.
    begun.count.then(end, () => {
      begun.untilMs = 0;
    });
    return begun;
  };
  return () => {
    if (last === undefined || clock.now() >= last.untilMs) last = begin();
    return last.count;
  };
}
