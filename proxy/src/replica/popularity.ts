// How often each layer is pulled.

import type { Digest } from '../oci/digest.ts';
import type { Clock } from '../runtime/runtime.ts';
import { addTo, countAt, type DecayedCount } from './decay.ts';
import type { HistoryTable } from './history-table.ts';

/** Layers whose pulls are remembered: 100 bytes each on the disk. */
export const MAX_POPULAR = 100_000;

export interface PopularityOptions {
  readonly table: HistoryTable<DecayedCount>;
  readonly clock: Pick<Clock, 'now'>;
}

export class Popularity {
  readonly #options: PopularityOptions;

  constructor(options: PopularityOptions) {
    this.#options = options;
  }

  /** Counts a pull. */
  note(digest: Digest): void {
    const { table, clock } = this.#options;
    table.set(digest, addTo(table.get(digest), clock.now()));
  }

  /** Pulls of a layer, each the less the longer ago it was. */
  countOf(digest: Digest): number {
    const { table, clock } = this.#options;
    return countAt(table.get(digest), clock.now());
  }
}
