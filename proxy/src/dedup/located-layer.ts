// Where all files of a layer are: those that were found, and those that are packed now.

import { FILE_ID_SIZE, PLACE_SIZE } from 'mica-core/core';
import type { LocatedFiles } from './file-index.ts';
import { nameAt } from './file-names.ts';

/** Offset of the pack's number in a place, bytes. */
const PACK_OFFSET = 12;

/** Places of all files of a layer whose different files were packed, with the numbers of these. */
export function placePacked(ids: Uint8Array, numbers: Uint32Array, places: Uint8Array): Uint8Array {
  const nothing = new Uint8Array((ids.length / FILE_ID_SIZE) * PLACE_SIZE);
  const missing = Uint32Array.from({ length: ids.length / FILE_ID_SIZE }, (_, number) => number);
  const layer = new LocatedLayer(ids, { places: nothing, packs: [], missing });
  layer.addPacked(0, numbers, places);
  const located = layer.finish();
  const [lost] = located.missing;
  if (lost !== undefined) throw new Error(`file ${lost} of the recipe is in no pack`);
  return located.places;
}

export class LocatedLayer {
  readonly #ids: Uint8Array;
  readonly #places: Uint8Array;
  readonly #view: DataView;
  readonly #packs: number[];
  /** By name, the first number of each. */
  readonly #missing: Map<string, number> = new Map();

  /** `found`: what the index says of the files. */
  constructor(ids: Uint8Array, { places, packs, missing }: LocatedFiles) {
    this.#ids = ids;
    this.#places = places.slice();
    this.#view = new DataView(this.#places.buffer);
    this.#packs = [...packs];
    for (const number of missing) {
      const name = nameAt(ids, number);
      if (!this.#missing.has(name)) this.#missing.set(name, number);
    }
  }

  /** Numbers of the files that are nowhere yet, ascending, each different one once. */
  get missing(): Uint32Array {
    return Uint32Array.from(this.#missing.values()).sort();
  }

  /**
   * Places those of the files that were missing: `numbers` in the order of `places`, all in one pack. Others
   * stay where the index has them.
   */
  addPacked(pack: number, numbers: Uint32Array, places: Uint8Array): void {
    const placeOf = new Map<string, Uint8Array>();
    numbers.forEach((number, at) => {
      const name = nameAt(this.#ids, number);
      if (!this.#missing.delete(name)) return;
      placeOf.set(name, places.subarray(at * PLACE_SIZE, (at + 1) * PLACE_SIZE));
    });
    const packNumber = this.#numberOf(pack);
    const count = this.#ids.length / FILE_ID_SIZE;
    for (let number = 0; number < count; number += 1) {
      const place = placeOf.get(nameAt(this.#ids, number));
      if (place === undefined) continue;
      this.#places.set(place, number * PLACE_SIZE);
      this.#view.setUint32(number * PLACE_SIZE + PACK_OFFSET, packNumber, true);
    }
  }

  finish(): LocatedFiles {
    return { places: this.#places, packs: this.#packs, missing: this.missing };
  }

  #numberOf(pack: number): number {
    const known = this.#packs.indexOf(pack);
    return known < 0 ? this.#packs.push(pack) - 1 : known;
  }
}
