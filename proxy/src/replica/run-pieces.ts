// What a run makes, on its way to a whole copy that is written beside those who read.

import type { RunCopy } from '../dedup/run-copy.ts';

/** Pieces that may wait to be written: about a megabyte each at most. */
const MAX_WAITING = 4;

interface Piece {
  readonly bytes: Uint8Array;
  readonly position: number;
}

/** The run has ended before the layer. */
export class PartialRunError extends Error {
  override readonly name = 'PartialRunError';
}

export class RunPieces implements RunCopy {
  readonly #queue = new TransformStream<Piece, Piece>(
    {},
    new CountQueuingStrategy({ highWaterMark: MAX_WAITING }),
  );
  readonly #writer = this.#queue.writable.getWriter();
  readonly #reader = this.#queue.readable.getReader();
  #isWhole = false;
  #isEnded = false;

  constructor() {
    // Told to whoever reads.
    this.#writer.closed.catch(() => undefined);
  }

  async append(bytes: Uint8Array, position: number): Promise<void> {
    // Node throws from a write to a closed stream (nodejs/node#57272), which would cost
    // the readers of the run their layer.
    if (this.#isEnded) return;
    this.#writer.write({ bytes, position }).catch(() => undefined);
    // Once nobody takes them any more there is nothing to wait for.
    await this.#writer.ready.catch(() => undefined);
  }

  end(isWhole: boolean): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#isWhole = isWhole;
    this.#writer.close().catch(() => undefined);
  }

  /** Takes no more. */
  async stop(): Promise<void> {
    this.#isEnded = true;
    await this.#reader.cancel().catch(() => undefined);
  }

  /** The layer from a position on; the run makes all of it. Rejects with PartialRunError. */
  async *from(start: number): AsyncGenerator<Uint8Array> {
    for (let next = await this.#reader.read(); !next.done; next = await this.#reader.read()) {
      const { bytes, position } = next.value;
      const rest = bytes.subarray(Math.max(0, start - position));
      if (rest.length > 0) yield rest;
    }
    if (!this.#isWhole) throw new PartialRunError('the run ended before the layer');
  }
}
