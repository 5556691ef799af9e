// How often each manifest was asked for lately: counts that fade, kept in memory.

import { LRUCache } from 'lru-cache';
import type { EndedRequest } from '../middleware/request-record.ts';
import type { Digest } from '../oci/digest.ts';
import { addTo, countAt, type DecayedCount } from '../replica/decay.ts';
import type { Clock } from '../runtime/runtime.ts';

/** Manifests that are remembered: those pulled last. */
const MAX_MANIFESTS = 10_000;

export class RecentPulls {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #counts = new LRUCache<Digest, DecayedCount>({ max: MAX_MANIFESTS });

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  /** Counts manifests that were given out; a HEAD is only a question. */
  requestEnded({ method, status, digest }: EndedRequest): void {
    if (method !== 'GET' || status !== 200 || digest === undefined) return;
    this.#counts.set(digest, addTo(this.#counts.get(digest), this.#clock.now()));
  }

  /** Pulls of the last days: one of yesterday counts half. */
  of(digest: Digest): number {
    return countAt(this.#counts.get(digest), this.#clock.now());
  }
}
