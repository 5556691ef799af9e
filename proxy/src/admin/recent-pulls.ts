// How often each manifest was asked for lately: counts that fade, kept in memory.

import { LRUCache } from 'lru-cache';
import type { EndedRequest } from '../middleware/request-record.ts';
import type { Digest } from '../oci/digest.ts';
import type { Clock } from '../runtime/runtime.ts';

/** The time in which a pull comes to count half, ms: what is pulled every night stays above one pull. */
const HALF_LIFE_MS = 24 * 60 * 60 * 1000;

/** Manifests that are remembered: those pulled last. */
const MAX_MANIFESTS = 10_000;

interface FadingCount {
  /** As it was at `atMs`. */
  readonly count: number;
  readonly atMs: number;
}

export class RecentPulls {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #counts = new LRUCache<Digest, FadingCount>({ max: MAX_MANIFESTS });

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  /** Counts manifests that were given out; a HEAD is only a question. */
  requestEnded({ method, status, digest }: EndedRequest): void {
    if (method !== 'GET' || status !== 200 || digest === undefined) return;
    this.#counts.set(digest, { count: this.of(digest) + 1, atMs: this.#clock.now() });
  }

  /** Pulls of the last days: one of yesterday counts half. */
  of(digest: Digest): number {
    const known = this.#counts.get(digest);
    if (known === undefined) return 0;
    const ageMs = Math.max(0, this.#clock.now() - known.atMs);
    return known.count * 0.5 ** (ageMs / HALF_LIFE_MS);
  }
}
