// How work without threads keeps the event loop turning: it is done in pieces, with a turn between
// them for everything else.

import type { JobOptions } from './core.ts';
import type { ByteSource } from './core-files.ts';

/** Lets everything else that is due happen once. */
export type NextTurn = () => Promise<unknown>;

/** Bytes of a piece: 2 ms of hashing in WebAssembly. */
const PIECE_SIZE = 1024 * 1024;

export interface SliceOptions extends JobOptions {
  readonly nextTurn: NextTurn;
}

/**
 * All bytes of a source, piece by piece, with a turn after each. A piece is valid until the next one is
 * asked for; then it counts as done.
 */
export async function* readPieces(
  source: ByteSource,
  options: SliceOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { signal, onProgress, nextTurn } = options;
  const piece = new Uint8Array(PIECE_SIZE);
  for (let done = 0; ; ) {
    signal?.throwIfAborted();
    const count = await source.read(piece, done);
    // Between reading and work, as an abort may have come meanwhile.
    signal?.throwIfAborted();
    if (count === 0) return;
    yield piece.subarray(0, count);
    done += count;
    onProgress?.(done);
    await nextTurn();
  }
}

/** Does work step by step, with a turn after each step, until a step was the last one. */
export async function runSteps(
  step: () => boolean,
  { signal, nextTurn }: SliceOptions,
  afterStep: () => Promise<void>,
): Promise<void> {
  while (step()) {
    await afterStep();
    await nextTurn();
    signal?.throwIfAborted();
  }
}
