// Files in LMDB: where each is, and how many references it has. All methods but `locate` and `listIn`
// run inside a transaction.

import { FILE_ID_SIZE, PLACE_SIZE } from 'mica-core/core';
import type { AppendedPlaces } from './appended-places.ts';
import { FileEntry, firstPlaceKey } from './file-entry.ts';
import type { AppendedFiles, LocatedFiles } from './file-index.ts';
import { nameOf } from './file-names.ts';
import { type FileSlice, idAt, type Reference } from './file-slices.ts';
import { changeTotals, type FileTables } from './file-tables.ts';
import type { LmdbPacks } from './lmdb-packs.ts';
import { TurnTaker } from './turn-taker.ts';

/** Files of a pack that are read in one go: a few ms. */
const LIST_LENGTH = 1000;

/** What changes with files: sums, which are written once for many of them. */
class Changes {
  readonly liveSizes: Map<number, number> = new Map();
  files = 0;
  references = 0;
  fileSize = 0;

  addLive(pack: number, size: number): void {
    this.liveSizes.set(pack, (this.liveSizes.get(pack) ?? 0) + size);
  }

  addFile(entry: FileEntry, direction: 1 | -1): void {
    this.files += direction;
    this.fileSize += direction * entry.size;
    this.addLive(entry.pack, direction * entry.size);
  }
}

export class LmdbFiles {
  readonly #tables: FileTables;
  readonly #packs: LmdbPacks;

  constructor(tables: FileTables, packs: LmdbPacks) {
    this.#tables = tables;
    this.#packs = packs;
  }

  /** Whether a file of the slice is nowhere, neither there nor appended. */
  lacks(ids: Uint8Array, slice: FileSlice, appended: AppendedPlaces): boolean {
    return slice.numbers.some(
      (numbers) =>
        appended.find(numbers) === undefined && !this.#tables.files.doesExist(idOf(ids, numbers)),
    );
  }

  /** Counts references to the files of a slice, and notes where new ones are. */
  add(ids: Uint8Array, slice: FileSlice, appended: AppendedPlaces): void {
    const changes = new Changes();
    for (const numbers of slice.numbers) {
      const id = idOf(ids, numbers);
      const entry = this.#read(id) ?? this.#place(id, numbers, appended, changes);
      if (entry === undefined) continue;
      entry.references += numbers.length;
      changes.references += numbers.length;
      this.#tables.files.putSync(id, entry.bytes);
    }
    this.#write(changes);
  }

  /**
   * Gives references up; files that have none left are forgotten. A count below 0 adds some, and one of
   * 0 forgets a file without any.
   */
  release(references: Iterable<Reference>): void {
    const changes = new Changes();
    for (const { id, count } of references) {
      const entry = this.#read(id);
      if (entry === undefined) continue;
      const left = Math.max(0, entry.references - count);
      changes.references += left - entry.references;
      entry.references = left;
      if (left > 0) {
        this.#tables.files.putSync(id, entry.bytes);
        continue;
      }
      changes.addFile(entry, -1);
      this.#tables.placed.removeSync(entry.placeKey);
      this.#tables.files.removeSync(id);
    }
    this.#write(changes);
  }

  /** Moves those of `start..end` of the copied files that are still in pack `from`. */
  move(from: number, ids: Uint8Array, to: AppendedFiles, start: number, end: number): void {
    const changes = new Changes();
    for (let at = start; at < end; at += 1) {
      const id = idAt(ids, to.numbers[at] ?? 0);
      const entry = this.#read(id);
      if (entry?.pack !== from) continue;
      this.#tables.placed.removeSync(entry.placeKey);
      changes.addLive(from, -entry.size);
      entry.move(to.places.subarray(at * PLACE_SIZE, (at + 1) * PLACE_SIZE), to.pack);
      changes.addLive(to.pack, entry.size);
      this.#tables.placed.putSync(entry.placeKey, id);
      this.#tables.files.putSync(id, entry.bytes);
    }
    this.#write(changes);
  }

  /** Makes the order of a file among its pack's what its entry says. */
  placeAgain(id: Uint8Array): void {
    const entry = this.#read(id);
    if (entry !== undefined) this.#tables.placed.putSync(entry.placeKey, id);
  }

  /** Takes a file out of a pack's order, unless its entry says that it is there. */
  dropPlace(key: Uint8Array): void {
    const id = this.#tables.placed.get(key);
    const entry = id === undefined ? undefined : this.#read(id);
    if (entry === undefined || Buffer.compare(entry.placeKey, key) !== 0)
      this.#tables.placed.removeSync(key);
  }

  async locate(ids: Uint8Array): Promise<LocatedFiles> {
    const count = ids.length / FILE_ID_SIZE;
    const places = new Uint8Array(count * PLACE_SIZE);
    const view = new DataView(places.buffer);
    const packs = new Map<number, number>();
    const missing = new Map<string, number>();
    const turns = new TurnTaker();
    for (let number = 0; number < count; number += 1) {
      if (turns.isDue()) await turns.next();
      const id = idAt(ids, number);
      const entry = this.#read(id);
      if (entry === undefined) {
        const name = nameOf(id);
        if (!missing.has(name)) missing.set(name, number);
        continue;
      }
      const pack = packs.get(entry.pack) ?? packs.size;
      packs.set(entry.pack, pack);
      places.set(entry.place, number * PLACE_SIZE);
      view.setUint32((number + 1) * PLACE_SIZE - 4, pack, true);
    }
    return { places, packs: [...packs.keys()], missing: Uint32Array.from(missing.values()) };
  }

  async listIn(pack: number): Promise<Uint8Array> {
    const slices: Uint8Array[] = [];
    const turns = new TurnTaker();
    let range: { start: Uint8Array; exclusiveStart?: true } = { start: firstPlaceKey(pack) };
    for (;;) {
      const bounds = { ...range, end: firstPlaceKey(pack + 1), limit: LIST_LENGTH };
      const found = [...this.#tables.placed.getRange(bounds)];
      slices.push(...found.map(({ value }) => value));
      const last = found.at(-1);
      if (last === undefined || found.length < LIST_LENGTH) return concatenate(slices);
      range = { start: last.key, exclusiveStart: true };
      await turns.next();
    }
  }

  #read(id: Uint8Array): FileEntry | undefined {
    const bytes = this.#tables.files.get(id);
    return bytes === undefined ? undefined : new FileEntry(bytes);
  }

  #place(
    id: Uint8Array,
    numbers: readonly number[],
    appended: AppendedPlaces,
    changes: Changes,
  ): FileEntry | undefined {
    const found = appended.find(numbers);
    if (found === undefined) return undefined;
    const entry = FileEntry.make(found.place, found.pack, appended.sizeOf(numbers[0] ?? 0));
    changes.addFile(entry, 1);
    this.#tables.placed.putSync(entry.placeKey, id);
    return entry;
  }

  #write({ liveSizes, files, references, fileSize }: Changes): void {
    for (const [pack, liveSize] of liveSizes) this.#packs.change(pack, { liveSize });
    if (references === 0 && files === 0) return;
    changeTotals(this.#tables, (totals) => {
      totals.files += files;
      totals.references += references;
      totals.fileSize += fileSize;
    });
  }
}

function idOf(ids: Uint8Array, numbers: readonly number[]): Uint8Array {
  return idAt(ids, numbers[0] ?? 0);
}

function concatenate(slices: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(slices.length * FILE_ID_SIZE);
  for (const [at, slice] of slices.entries()) all.set(slice, at * FILE_ID_SIZE);
  return all;
}
