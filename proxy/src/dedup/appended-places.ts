// Which of a layer's files were appended to packs, and where.

import { FILE_ID_SIZE, PLACE_SIZE } from 'mica-core/core';
import type { AppendedFiles } from './file-index.ts';

export interface AppendedPlace {
  readonly pack: number;
  /** PLACE_SIZE bytes; the number of the pack in them is not used. */
  readonly place: Uint8Array;
}

export class AppendedPlaces {
  readonly #appended: readonly AppendedFiles[];
  /** For each file of the layer 1 more than which of `#appended` has it; 0 if none. */
  readonly #sources: Uint8Array;
  readonly #positions: Uint32Array;
  readonly #sizes: DataView;

  constructor(ids: Uint8Array, sizes: Uint8Array, appended: readonly AppendedFiles[]) {
    const count = ids.length / FILE_ID_SIZE;
    this.#appended = appended;
    this.#sizes = new DataView(sizes.buffer, sizes.byteOffset, sizes.byteLength);
    this.#sources = new Uint8Array(count);
    this.#positions = new Uint32Array(count);
    for (const [source, { numbers }] of appended.entries()) {
      for (const [position, number] of numbers.entries()) {
        this.#sources[number] = source + 1;
        this.#positions[number] = position;
      }
    }
  }

  /** Where a file is that has these numbers in the layer. */
  find(numbers: readonly number[]): AppendedPlace | undefined {
    for (const number of numbers) {
      const source = this.#appended[(this.#sources[number] ?? 0) - 1];
      if (source === undefined) continue;
      const at = (this.#positions[number] ?? 0) * PLACE_SIZE;
      return { pack: source.pack, place: source.places.subarray(at, at + PLACE_SIZE) };
    }
    return undefined;
  }

  sizeOf(number: number): number {
    return Number(this.#sizes.getBigUint64(number * 8, true));
  }

  /** Bytes of all files that were appended to a pack. */
  sumSizes({ numbers }: AppendedFiles): number {
    return numbers.reduce((sum, number) => sum + this.sizeOf(number), 0);
  }
}
