// Tells a pull from its own further requests: ranges, and what was broken off and asked for again.

import { LRUCache } from 'lru-cache';
import type { Digest } from '../oci/digest.ts';
import type { Clock } from '../runtime/runtime.ts';

/** Requests of one client for the same content within this time of the last one are one pull, ms. */
const SAME_PULL_MS = 60_000;

/** Requests that are remembered, some 150 bytes each. */
const MAX_RECENT = 10_000;

export class RecentRequests {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #lastMs: LRUCache<string, number> = new LRUCache({ max: MAX_RECENT });

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  /** Notes a request; says whether a pull begins with it. */
  begins(digest: Digest, client: string): boolean {
    const nowMs = this.#clock.now();
    const key = `${client}\n${digest}`;
    const lastMs = this.#lastMs.get(key);
    this.#lastMs.set(key, nowMs);
    return lastMs === undefined || Math.abs(nowMs - lastMs) >= SAME_PULL_MS;
  }
}
