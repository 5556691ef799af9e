// How often each layer is asked for.

import { LRUCache } from 'lru-cache';
import type { Digest } from '../oci/digest.ts';
import type { Clock } from '../runtime/runtime.ts';
import { addTo, countAt, type DecayedCount } from './decay.ts';
import type { HistoryTable } from './history-table.ts';

/** Layers whose requests are remembered: 100 bytes each on the disk. */
export const MAX_POPULAR = 200_000;

/** Requests of one client for one layer within this time are one pull: ranges, and what broke. In ms. */
const SAME_PULL_MS = 60_000;

/** Pulls that may be told from their own further requests, some 150 bytes each. */
const MAX_RECENT = 10_000;

export interface PopularityOptions {
  readonly table: HistoryTable<DecayedCount>;
  readonly clock: Pick<Clock, 'now'>;
}

export class Popularity {
  readonly #options: PopularityOptions;
  readonly #recent: LRUCache<string, number> = new LRUCache({ max: MAX_RECENT });

  constructor(options: PopularityOptions) {
    this.#options = options;
  }

  /** Counts a request; says whether it was the first of a pull. */
  note(digest: Digest, client: string): boolean {
    const { table, clock } = this.#options;
    const nowMs = clock.now();
    const key = `${client}\n${digest}`;
    const lastMs = this.#recent.get(key);
    this.#recent.set(key, nowMs);
    if (lastMs !== undefined && nowMs < lastMs + SAME_PULL_MS) return false;
    table.set(digest, addTo(table.get(digest), nowMs));
    return true;
  }

  /** Pulls of a layer, each the less the longer ago it was. */
  countOf(digest: Digest): number {
    const { table, clock } = this.#options;
    return countAt(table.get(digest), clock.now());
  }
}
