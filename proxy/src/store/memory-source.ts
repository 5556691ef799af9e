// A blob that is already in memory, as a source.

import type { BlobSource } from './blob-store.ts';

export class MemorySource implements BlobSource {
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get size(): number {
    return this.#bytes.length;
  }

  read(into: Uint8Array, position: number): Promise<number> {
    const piece = this.#bytes.subarray(position, position + into.length);
    into.set(piece);
    return Promise.resolve(piece.length);
  }

  close(): void {
    // Nothing is held but memory.
  }
}
