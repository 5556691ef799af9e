// Blobs whose bytes tell their own position, and a source that fails where a test wants it to.

import { type BlobSource, ShortBlobError } from '../../src/store/blob-store.ts';
import { digestOfBytes } from '../doubles/fake-mirror.ts';

/** Bytes that tell their own position. */
export function pattern(size: number): Uint8Array {
  const words = new Uint32Array(Math.ceil(size / 4)).map((_, index) => index * 2_654_435_761);
  return new Uint8Array(words.buffer, 0, size);
}

/** A source that says when it was closed and can be told to fail. */
export class WatchedSource implements BlobSource {
  readonly #bytes: Uint8Array;
  readonly #failAt: number;
  readonly closed: Promise<void>;
  reads = 0;
  isClosed = false;
  #close: () => void = () => undefined;

  constructor(bytes: Uint8Array, failAt = Number.POSITIVE_INFINITY) {
    this.#bytes = bytes;
    this.#failAt = failAt;
    this.closed = new Promise((resolve) => {
      this.#close = resolve;
    });
  }

  get size(): number {
    return this.#bytes.length;
  }

  read(into: Uint8Array, position: number): Promise<number> {
    this.reads += 1;
    if (position >= this.#failAt) {
      return Promise.reject(new ShortBlobError(digestOfBytes(this.#bytes), 'gone'));
    }
    const end = Math.min(position + into.length, this.#failAt);
    const piece = this.#bytes.subarray(position, end);
    into.set(piece);
    return Promise.resolve(piece.length);
  }

  close(): void {
    this.isClosed = true;
    this.#close();
  }
}
