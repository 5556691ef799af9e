// The records of packs in LMDB. Those methods that say so run inside a transaction.

import { type LmdbEnvironment, pages } from '../store/lmdb-environment.ts';
import { firstPlaceKey } from './file-entry.ts';
import type { PackRecord } from './file-index.ts';
import { changeTotals, type FileTables, giveNumber, type StoredPack } from './file-tables.ts';

/** What is added to a pack's sizes. */
export interface PackGrowth {
  readonly plainSize?: number;
  readonly liveSize?: number;
}

export class LmdbPacks {
  readonly #environment: LmdbEnvironment;
  readonly #tables: FileTables;

  constructor(environment: LmdbEnvironment, tables: FileTables) {
    this.#environment = environment;
    this.#tables = tables;
  }

  open(owner: string): Promise<PackRecord> {
    const { packs, openPacks } = this.#tables;
    return this.#environment.write(() => {
      const known = openPacks.get(owner);
      const pack = known === undefined ? undefined : packs.get(known);
      if (known !== undefined && pack !== undefined) return toRecord(known, pack);
      const number = giveNumber(this.#tables, 'pack');
      const made = { size: 0, plainSize: 0, liveSize: 0, owner, isSealed: false };
      packs.putSync(number, made);
      openPacks.putSync(owner, number);
      return toRecord(number, made);
    });
  }

  async skip(number: number): Promise<number> {
    const { given } = this.#tables;
    const last = given.get('pack') ?? 0;
    if (last >= number) return last;
    return await this.#environment.write(() => {
      const before = given.get('pack') ?? 0;
      given.putSync('pack', Math.max(before, number));
      return before;
    });
  }

  async seal(number: number): Promise<void> {
    const { packs, openPacks } = this.#tables;
    await this.#environment.write(() => {
      const pack = packs.get(number);
      if (pack === undefined || pack.isSealed) return;
      packs.putSync(number, { ...pack, isSealed: true });
      openPacks.removeSync(pack.owner);
    });
  }

  get(number: number): Promise<PackRecord | undefined> {
    return this.#environment.read(() => {
      const pack = this.#tables.packs.get(number);
      return pack === undefined ? undefined : toRecord(number, pack);
    });
  }

  async *list(): AsyncGenerator<PackRecord> {
    for await (const { key, value } of pages(this.#tables.packs)) yield toRecord(key, value);
  }

  remove(number: number): Promise<boolean> {
    const { packs, placed } = this.#tables;
    return this.#environment.write(() => {
      const pack = packs.get(number);
      const bounds = { start: firstPlaceKey(number), end: firstPlaceKey(number + 1), limit: 1 };
      if (pack?.isSealed !== true || [...placed.getKeys(bounds)].length > 0) return false;
      packs.removeSync(number);
      giveNumber(this.#tables, 'places');
      changeTotals(this.#tables, (totals) => {
        totals.packSize -= pack.size;
      });
      return true;
    });
  }

  /** Inside a transaction. */
  isThere(number: number): boolean {
    return this.#tables.packs.get(number) !== undefined;
  }

  /** Inside a transaction. `size` is that of the whole pack, which never gets smaller. */
  change(number: number, { plainSize = 0, liveSize = 0 }: PackGrowth, size = 0): void {
    const pack = this.#tables.packs.get(number);
    if (pack === undefined) return;
    const grown = Math.max(pack.size, size);
    this.#tables.packs.putSync(number, {
      ...pack,
      size: grown,
      plainSize: pack.plainSize + plainSize,
      liveSize: pack.liveSize + liveSize,
    });
    if (grown === pack.size) return;
    changeTotals(this.#tables, (totals) => {
      totals.packSize += grown - pack.size;
    });
  }
}

function toRecord(number: number, pack: StoredPack): PackRecord {
  const { size, plainSize, liveSize, isSealed } = pack;
  return { number, size, plainSize, liveSize, isSealed };
}
