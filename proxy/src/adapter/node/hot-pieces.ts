// Pieces of blobs that many clients are being sent: read once, written to each. Half of what a large
// body costs is the copy from the system's cache into a buffer.

import type { BufferPool } from './buffer-pool.ts';

/** The bytes of a blob from `start` on, in a large buffer, as long as anybody sends them. */
export interface HotPiece {
  /** Stands for the blob: the same object, the same bytes. */
  readonly blob: object;
  readonly start: number;
  readonly buffer: Uint8Array;
  /** How many bytes there are, once they were read. */
  readonly length: Promise<number>;
  /** Bodies that send it; this and what follows is changed by HotPieces alone. */
  users: number;
  /** Nobody new gets it: its read failed, or its buffer may be in use outside of this program's sight. */
  isForgotten: boolean;
  isDropped: boolean;
}

export class HotPieces {
  readonly #pool: BufferPool;
  readonly #pieces: WeakMap<object, Map<number, HotPiece>> = new WeakMap();
  /** Pieces that nobody sends now, the one that was left first in front. */
  readonly #idle: Set<HotPiece> = new Set();

  constructor(pool: BufferPool) {
    this.#pool = pool;
    pool.onShortage = () => this.#evictOldest();
  }

  /** The piece with one more user; read now unless it is here. Undefined when no buffer is free. */
  take(
    blob: object,
    start: number,
    read: (into: Uint8Array) => Promise<number>,
  ): HotPiece | undefined {
    const known = this.#pieces.get(blob)?.get(start);
    if (known !== undefined) {
      this.#idle.delete(known);
      known.users += 1;
      return known;
    }
    const buffer = this.#pool.takeLarge();
    if (buffer === undefined) return undefined;
    const length = read(buffer);
    const flags = { users: 1, isForgotten: false, isDropped: false };
    const piece: HotPiece = { blob, start, buffer, length, ...flags };
    this.#remember(piece);
    // Whoever awaits the length is told too, and reads by itself.
    length.catch(() => this.#forget(piece));
    return piece;
  }

  /** Ends one use. */
  give(piece: HotPiece): void {
    piece.users -= 1;
    if (piece.users > 0) return;
    if (!piece.isForgotten) this.#idle.add(piece);
    else if (piece.isDropped) this.#pool.drop(piece.buffer);
    else this.#pool.give(piece.buffer);
  }

  /** Ends one use whose write may still go on: the buffer is never used for anything else. */
  drop(piece: HotPiece): void {
    piece.isDropped = true;
    this.#forget(piece);
    this.give(piece);
  }

  #remember(piece: HotPiece): void {
    const pieces = this.#pieces.get(piece.blob) ?? new Map<number, HotPiece>();
    pieces.set(piece.start, piece);
    this.#pieces.set(piece.blob, pieces);
  }

  #forget(piece: HotPiece): void {
    if (piece.isForgotten) return;
    piece.isForgotten = true;
    this.#pieces.get(piece.blob)?.delete(piece.start);
  }

  /** Gives the buffer of the piece that was left first back to the pool. */
  #evictOldest(): void {
    for (const piece of this.#idle) {
      this.#idle.delete(piece);
      this.#forget(piece);
      this.#pool.give(piece.buffer);
      return;
    }
  }
}
