// What layers were and took over time, for the page: a sample a minute, fewer of long ago, kept in the index
// so that a restart knows them.

import type { Database } from 'lmdb';
import type { LmdbEnvironment } from '../store/lmdb-environment.ts';
import { type Sample, thinSamples } from './thin-samples.ts';

/** Sizes are bytes, as in LayerStats. */
export interface SavingsSample extends Sample {
  readonly tar: number;
  readonly compressed: number;
  readonly stored: number;
}

/** In the index: the time is the key. */
type Sizes = Omit<SavingsSample, 'atMs'>;

export interface SavingsHistory {
  /** In order of time. A sample holds until the next one. */
  samples(): readonly SavingsSample[];
  /** Adds a sample unless it tells nothing new. One transaction of a few entries. */
  add(sample: SavingsSample): Promise<void>;
}

/** Reads what is known. The environment stays the caller's. */
export function openSavingsHistory(environment: LmdbEnvironment): SavingsHistory {
  return new LmdbSavingsHistory(environment);
}

class LmdbSavingsHistory implements SavingsHistory {
  readonly #environment: LmdbEnvironment;
  readonly #database: Database<Sizes, number>;
  #samples: readonly SavingsSample[];

  constructor(environment: LmdbEnvironment) {
    this.#environment = environment;
    this.#database = environment.openDatabase('savings');
    this.#samples = [...this.#database.getRange()].map(({ key, value }) => ({
      atMs: key,
      ...value,
    }));
  }

  samples(): readonly SavingsSample[] {
    return this.#samples;
  }

  async add(sample: SavingsSample): Promise<void> {
    const known = this.#samples.at(-1);
    if (known !== undefined && known.atMs <= sample.atMs && isSame(known, sample)) return;
    const before = this.#samples;
    const after = thinSamples([...before, sample], sample.atMs);
    const kept = new Set(after);
    const { atMs, tar, compressed, stored } = sample;
    await this.#environment.write(() => {
      for (const old of before) if (!kept.has(old)) this.#database.removeSync(old.atMs);
      this.#database.putSync(atMs, { tar, compressed, stored });
    });
    this.#samples = after;
  }
}

function isSame(one: SavingsSample, other: SavingsSample): boolean {
  return (
    one.tar === other.tar && one.compressed === other.compressed && one.stored === other.stored
  );
}
