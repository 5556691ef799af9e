// Counts everything in the index of files anew, as it was at one moment, and finds what is otherwise.
//
// What layers have, their sets of references, is what is believed. All that is written beside it follows
// from it: how many references a file has, which files a pack has, live bytes, sums.

import type { Transaction } from 'lmdb';
import { pages } from '../store/lmdb-environment.ts';
import { FileEntry } from './file-entry.ts';
import type { Miscount } from './file-index.ts';
import { nameOf } from './file-names.ts';
import { decodeReferences, type Reference } from './file-slices.ts';
import { countLayer, type FileTables, noTotals, type StoredTotals } from './file-tables.ts';
import { TurnTaker } from './turn-taker.ts';

/** Files that are counted in one reading of all references: some 60 MB of counters. */
const COUNTED_FILES = 500_000;

/** The first two bytes of ids, by which files are divided among readings. */
const PREFIXES = 0x10000;

/** Sizes of a pack as they are written, and as they should be. */
export interface WrongPack {
  readonly number: number;
  readonly got: { readonly liveSize: number; readonly plainSize: number };
  readonly expected: { readonly liveSize: number; readonly plainSize: number };
}

/** What is not as it should be. */
export interface Found {
  /** Sets of references that are nobody's. */
  readonly straySets: readonly number[];
  /** Files with how many references too many each has. */
  readonly files: Reference[];
  /** Ids of files that are not in the order of their pack. */
  readonly unplaced: Uint8Array[];
  /** Keys in that order of what is not there. */
  readonly strayPlaces: Uint8Array[];
  readonly packs: readonly WrongPack[];
  readonly totals: { readonly got: StoredTotals; readonly expected: StoredTotals };
}

export async function recountIndex(tables: FileTables, transaction: Transaction): Promise<Found> {
  return await new Recount(tables, transaction).run();
}

class Recount {
  readonly #tables: FileTables;
  readonly #transaction: Transaction;
  readonly #expected: StoredTotals = noTotals();
  readonly #liveSizes: Map<number, number> = new Map();
  readonly #files: Reference[] = [];
  readonly #unplaced: Uint8Array[] = [];

  constructor(tables: FileTables, transaction: Transaction) {
    this.#tables = tables;
    this.#transaction = transaction;
  }

  async run(): Promise<Found> {
    const { totals } = this.#tables;
    const transaction = this.#transaction;
    const got = totals.get('totals', { transaction }) ?? noTotals();
    const sets = await this.#countLayers();
    const straySets = await this.#findStraySets(sets);
    await this.#countFiles(got.files, new Set([...sets, ...straySets]));
    for await (const _ of pages(this.#tables.queue, { transaction })) this.#expected.queued += 1;
    const packs = await this.#countPacks();
    const strayPlaces = await this.#findStrayPlaces();
    return {
      ...{ straySets, strayPlaces, packs, files: this.#files, unplaced: this.#unplaced },
      totals: { got, expected: this.#expected },
    };
  }

  /** Gives the sets of references that are a layer's, or will be given up. */
  async #countLayers(): Promise<Set<number>> {
    const transaction = this.#transaction;
    const sets = new Set<number>();
    for await (const { value } of pages(this.#tables.layers, { transaction })) {
      countLayer(this.#expected, value.record, 1);
      if (value.references !== undefined) sets.add(value.references);
    }
    for await (const { key } of pages(this.#tables.loose, { transaction })) sets.add(key);
    return sets;
  }

  async #findStraySets(sets: ReadonlySet<number>): Promise<number[]> {
    const stray = new Set<number>();
    for await (const { key } of pages(this.#tables.references, { transaction: this.#transaction }))
      if (!sets.has(key[0])) stray.add(key[0]);
    return [...stray];
  }

  async #countFiles(files: number, sets: ReadonlySet<number>): Promise<void> {
    const readings = Math.min(PREFIXES, Math.ceil(Math.max(1, files) / COUNTED_FILES));
    for (let reading = 0; reading < readings; reading += 1) {
      const start = Math.floor((PREFIXES * reading) / readings);
      const end = Math.floor((PREFIXES * (reading + 1)) / readings);
      await this.#compareFiles(await this.#countReferences(start, end, sets), start, end);
    }
  }

  /** References to each file whose id begins with one of these prefixes. */
  async #countReferences(
    start: number,
    end: number,
    sets: ReadonlySet<number>,
  ): Promise<Map<string, number>> {
    const counts = new Map<string, number>();
    const range = { transaction: this.#transaction };
    const turns = new TurnTaker();
    for await (const { key, value } of pages(this.#tables.references, range)) {
      if (sets.has(key[0])) addReferences(counts, value, start, end);
      if (turns.isDue()) await turns.next();
    }
    return counts;
  }

  /** Files that layers have and the index has not are told of when their layers are made again. */
  async #compareFiles(
    counts: ReadonlyMap<string, number>,
    start: number,
    end: number,
  ): Promise<void> {
    const range = {
      start: prefixKey(start),
      ...(end < PREFIXES ? { end: prefixKey(end) } : {}),
      transaction: this.#transaction,
    };
    const turns = new TurnTaker();
    for await (const { key, value } of pages(this.#tables.files, range)) {
      this.#compareFile(key, new FileEntry(value), counts.get(nameOf(key)) ?? 0);
      if (turns.isDue()) await turns.next();
    }
  }

  #compareFile(id: Uint8Array, entry: FileEntry, references: number): void {
    const transaction = this.#transaction;
    this.#expected.files += 1;
    this.#expected.references += entry.references;
    this.#expected.fileSize += entry.size;
    this.#liveSizes.set(entry.pack, (this.#liveSizes.get(entry.pack) ?? 0) + entry.size);
    if (entry.references !== references || references === 0) {
      this.#files.push({ id: id.slice(), count: entry.references - references });
    }
    const placed = this.#tables.placed.get(entry.placeKey, { transaction });
    if (placed === undefined || nameOf(placed) !== nameOf(id)) this.#unplaced.push(id.slice());
  }

  async #countPacks(): Promise<WrongPack[]> {
    const wrong: WrongPack[] = [];
    const range = { transaction: this.#transaction };
    for await (const { key: number, value: got } of pages(this.#tables.packs, range)) {
      this.#expected.packSize += got.size;
      const liveSize = this.#liveSizes.get(number) ?? 0;
      const expected = { liveSize, plainSize: Math.max(got.plainSize, liveSize) };
      if (got.liveSize !== liveSize || got.plainSize !== expected.plainSize)
        wrong.push({ number, got, expected });
    }
    return wrong;
  }

  async #findStrayPlaces(): Promise<Uint8Array[]> {
    const transaction = this.#transaction;
    const stray: Uint8Array[] = [];
    const turns = new TurnTaker();
    for await (const { key, value } of pages(this.#tables.placed, { transaction })) {
      const bytes = this.#tables.files.get(value, { transaction });
      if (bytes === undefined || nameOf(new FileEntry(bytes).placeKey) !== nameOf(key)) {
        stray.push(key.slice());
      }
      if (turns.isDue()) await turns.next();
    }
    return stray;
  }
}

function addReferences(
  counts: Map<string, number>,
  slice: Uint8Array,
  start: number,
  end: number,
): void {
  for (const { id, count } of decodeReferences(slice)) {
    const prefix = ((id[0] ?? 0) << 8) | (id[1] ?? 0);
    if (prefix < start || prefix >= end) continue;
    const name = nameOf(id);
    counts.set(name, (counts.get(name) ?? 0) + count);
  }
}

function prefixKey(prefix: number): Uint8Array {
  return Uint8Array.of(prefix >> 8, prefix & 0xff);
}

/** What is not as it should be, in words. */
export function describeFound(found: Found): Miscount[] {
  const { got, expected } = found.totals;
  const sums = Object.keys(expected).flatMap((key) => {
    const name = key as keyof StoredTotals;
    if (name === 'reasons') return [];
    return compare(`sum of ${name}`, got[name], expected[name]);
  });
  const reasons = new Set([...Object.keys(got.reasons), ...Object.keys(expected.reasons)]);
  return [
    ...compare("sets of references that are nobody's", found.straySets.length, 0),
    ...compare('files with a wrong number of references', found.files.length, 0),
    ...compare('files out of the order of their pack', found.unplaced.length, 0),
    ...compare('places without a file', found.strayPlaces.length, 0),
    ...found.packs.flatMap(describePack),
    ...sums,
    ...[...reasons].flatMap((reason) =>
      compare(`layers for ${reason}`, got.reasons[reason] ?? 0, expected.reasons[reason] ?? 0),
    ),
  ];
}

function describePack({ number, got, expected }: WrongPack): Miscount[] {
  return [
    ...compare(`live bytes of pack ${number}`, got.liveSize, expected.liveSize),
    ...compare(`plain bytes of pack ${number}`, got.plainSize, expected.plainSize),
  ];
}

function compare(subject: string, got: number, expected: number): Miscount[] {
  return got === expected ? [] : [{ subject, got, expected }];
}
