// Where the files of a layer are, asked slice by slice so that the event loop turns meanwhile.

import { FILE_ID_SIZE, PLACE_SIZE } from 'mica-core/core';
import type { FileIndex, LocatedFiles } from './file-index.ts';

/** Files asked for at once: some milliseconds of look-ups. */
const SLICE_FILES = 2048;

/** Offset of the pack's number in a place, bytes. */
const PACK_OFFSET = 12;

/** As FileIndex.locate(), for any number of ids. */
export async function locateFiles(
  index: Pick<FileIndex, 'locate'>,
  ids: Uint8Array,
): Promise<LocatedFiles> {
  const count = ids.length / FILE_ID_SIZE;
  const located = new LocatedLayer(ids);
  for (let first = 0; first < count; first += SLICE_FILES) {
    if (first > 0) await nextTurn();
    const end = Math.min(count, first + SLICE_FILES);
    const slice = ids.subarray(first * FILE_ID_SIZE, end * FILE_ID_SIZE);
    located.addSlice(first, await index.locate(slice));
  }
  return located.finish();
}

/** Lets everything else that is due happen once. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Places of all files of a layer, with its packs counted anew. */
export class LocatedLayer {
  readonly #ids: Uint8Array;
  readonly #places: Uint8Array;
  readonly #view: DataView;
  readonly #packs: number[] = [];
  readonly #numberOf: Map<number, number> = new Map();
  /** By id, the first number of each. */
  readonly #missing: Map<string, number> = new Map();

  constructor(ids: Uint8Array) {
    this.#ids = ids;
    this.#places = new Uint8Array((ids.length / FILE_ID_SIZE) * PLACE_SIZE);
    this.#view = new DataView(this.#places.buffer);
  }

  /** Adds what the index says of the files from number `first` on. */
  addSlice(first: number, slice: LocatedFiles): void {
    const count = slice.places.length / PLACE_SIZE;
    const places = new DataView(slice.places.buffer, slice.places.byteOffset);
    this.#places.set(slice.places, first * PLACE_SIZE);
    for (let number = 0; number < count; number += 1) {
      const pack = slice.packs[places.getUint32(number * PLACE_SIZE + PACK_OFFSET, true)];
      if (pack !== undefined) this.#setPack(first + number, pack);
    }
    for (const number of slice.missing) {
      const id = idText(this.#ids, first + number);
      if (!this.#missing.has(id)) this.#missing.set(id, first + number);
    }
  }

  /** Places files that were missing: `numbers` in the order of `places`, all in one pack. */
  addPacked(pack: number, numbers: Uint32Array, places: Uint8Array): void {
    const placeOf = new Map<string, Uint8Array>();
    numbers.forEach((number, at) => {
      const place = places.subarray(at * PLACE_SIZE, (at + 1) * PLACE_SIZE);
      placeOf.set(idText(this.#ids, number), place);
      this.#missing.delete(idText(this.#ids, number));
    });
    const count = this.#ids.length / FILE_ID_SIZE;
    for (let number = 0; number < count; number += 1) {
      const place = placeOf.get(idText(this.#ids, number));
      if (place === undefined) continue;
      this.#places.set(place, number * PLACE_SIZE);
      this.#setPack(number, pack);
    }
  }

  finish(): LocatedFiles {
    const missing = Uint32Array.from(this.#missing.values()).sort();
    return { places: this.#places, packs: this.#packs, missing };
  }

  #setPack(number: number, pack: number): void {
    let at = this.#numberOf.get(pack);
    if (at === undefined) {
      at = this.#packs.length;
      this.#packs.push(pack);
      this.#numberOf.set(pack, at);
    }
    this.#view.setUint32(number * PLACE_SIZE + PACK_OFFSET, at, true);
  }
}

/** A file's id as a key. */
function idText(ids: Uint8Array, number: number): string {
  return String.fromCharCode(...ids.subarray(number * FILE_ID_SIZE, (number + 1) * FILE_ID_SIZE));
}
