// How work without threads keeps the event loop turning: it is done in pieces, with a turn between
// them for everything else.

import type { JobOptions } from './core.ts';
import type { ByteSource } from './core-files.ts';

/** Lets everything else that is due happen once. */
export type NextTurn = () => Promise<unknown>;

/** Bytes of a piece: 2 ms of hashing, 10 ms of the slowest work, in WebAssembly. */
const PIECE_SIZE = 1024 * 1024;

export interface SliceOptions extends JobOptions {
  readonly nextTurn: NextTurn;
}

/**
 * Gives all bytes of a source to `take`, piece by piece, and resolves with their number. A piece is
 * valid until `take` returns.
 */
export async function forEachPiece(
  source: ByteSource,
  options: SliceOptions,
  take: (piece: Uint8Array) => void,
): Promise<number> {
  const { signal, onProgress, nextTurn } = options;
  const piece = new Uint8Array(PIECE_SIZE);
  let done = 0;
  for (;;) {
    signal?.throwIfAborted();
    const count = await source.read(piece, done);
    // Between reading and work, as an abort may have come meanwhile.
    signal?.throwIfAborted();
    if (count === 0) return done;
    take(piece.subarray(0, count));
    done += count;
    onProgress?.(done);
    await nextTurn();
  }
}
