// What the index knows of a file, in bytes: as many entries as there are files, so they are small.
//
// An entry has 28 bytes, little-endian: place (PLACE_SIZE, with the pack's number in its last 4), how
// many references to it there are (4), size (8). A pack's files are found by keys of 16 bytes, which
// are big-endian so that they sort: number of the pack (4), offset of the block (8), offset in it (4).

import { PLACE_SIZE } from 'mica-core/core';

const ENTRY_SIZE = 28;
const REFERENCES_OFFSET = PLACE_SIZE;
const SIZE_OFFSET = PLACE_SIZE + 4;
const PACK_OFFSET = PLACE_SIZE - 4;

export class FileEntry {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;

  /** `bytes` stay the entry's. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, ENTRY_SIZE);
  }

  static make(place: Uint8Array, pack: number, size: number): FileEntry {
    const entry = new FileEntry(new Uint8Array(ENTRY_SIZE));
    entry.move(place, pack);
    entry.#view.setBigUint64(SIZE_OFFSET, BigInt(size), true);
    return entry;
  }

  get bytes(): Uint8Array {
    return this.#bytes;
  }

  get place(): Uint8Array {
    return this.#bytes.subarray(0, PLACE_SIZE);
  }

  get pack(): number {
    return this.#view.getUint32(PACK_OFFSET, true);
  }

  get size(): number {
    return Number(this.#view.getBigUint64(SIZE_OFFSET, true));
  }

  get references(): number {
    return this.#view.getUint32(REFERENCES_OFFSET, true);
  }

  set references(count: number) {
    this.#view.setUint32(REFERENCES_OFFSET, count, true);
  }

  /** Says where the file is from now on; the pack's number in `place` is not used. */
  move(place: Uint8Array, pack: number): void {
    this.#bytes.set(place.subarray(0, PLACE_SIZE));
    this.#view.setUint32(PACK_OFFSET, pack, true);
  }

  /** The key that it has among its pack's files. */
  get placeKey(): Uint8Array {
    const key = new Uint8Array(16);
    const view = new DataView(key.buffer);
    view.setUint32(0, this.pack);
    view.setBigUint64(4, this.#view.getBigUint64(0, true));
    view.setUint32(12, this.#view.getUint32(8, true));
    return key;
  }
}

/** Sorts before all keys of this pack's files, and after those of all packs before. */
export function firstPlaceKey(pack: number): Uint8Array {
  const key = new Uint8Array(4);
  new DataView(key.buffer).setUint32(0, pack);
  return key;
}
