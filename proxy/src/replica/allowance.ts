// How many layers may be made ahead of one manifest: fewer where they were made for nothing.

import type { Clock } from '../runtime/runtime.ts';
import { countAt } from './decay.ts';
import type { Dated, HistoryTable } from './history-table.ts';

/** Pairs of repository and client that are remembered, some 100 bytes each. */
export const MAX_PAIRS = 50_000;

/** Layers ahead of one manifest; nine of ten images have no more. */
export const MAX_AHEAD = 16;

/** Layers where less than GOOD_SHARE of them was asked for: enough to see whether that changes. */
const FEW_AHEAD = 2;

/** With this share of use there is no limit but MAX_AHEAD. */
const GOOD_SHARE = 0.5;

/** Below this share nothing is made, until the counts have faded. */
const POOR_SHARE = 0.2;

/** Layers that count as made and used before the first one was, so that one miss ends nothing. */
const TRUST = 4;

export interface UseRecord extends Dated {
  readonly made: number;
  readonly used: number;
}

export interface AllowanceOptions {
  readonly table: HistoryTable<UseRecord>;
  readonly clock: Pick<Clock, 'now'>;
}

/** All repositories and clients together; a pair has a line break. */
const ALL = 'all';

export class Allowance {
  readonly #options: AllowanceOptions;

  constructor(options: AllowanceOptions) {
    this.#options = options;
  }

  /** Layers that may be made ahead for this client's pull. */
  layersFor(repository: string, client: string): number {
    return Math.min(limitAt(this.#share(ALL)), limitAt(this.#share(pairOf(repository, client))));
  }

  made(repository: string, client: string): void {
    for (const key of [ALL, pairOf(repository, client)]) this.#add(key, 1, 0);
  }

  used(repository: string, client: string): void {
    for (const key of [ALL, pairOf(repository, client)]) this.#add(key, 0, 1);
  }

  #share(key: string): number {
    const { made, used } = this.#read(key);
    return (used + TRUST) / (made + TRUST);
  }

  #add(key: string, made: number, used: number): void {
    const { table, clock } = this.#options;
    const known = this.#read(key);
    table.set(key, {
      ...{ made: known.made + made, used: known.used + used },
      atMs: clock.now(),
    });
  }

  #read(key: string): { readonly made: number; readonly used: number } {
    const { table, clock } = this.#options;
    const known = table.get(key);
    if (known === undefined) return { made: 0, used: 0 };
    const fade = (count: number) => countAt({ count, atMs: known.atMs }, clock.now());
    return { made: fade(known.made), used: fade(known.used) };
  }
}

function limitAt(share: number): number {
  if (share >= GOOD_SHARE) return MAX_AHEAD;
  return share >= POOR_SHARE ? FEW_AHEAD : 0;
}

function pairOf(repository: string, client: string): string {
  return `${client}\n${repository}`;
}
