// A layer made again part by part, for both flavours of the core: which parts are wanted, how many are
// made ahead, and what of them is given out.

import type { CoreError, JobOptions, LayerSummary, ReadOptions, Restoration } from './core.ts';

/** What makes the parts. */
export interface PartSource {
  readonly summary: LayerSummary;
  /** Where each part ends in the layer, ascending. */
  readonly partEnds: Float64Array;
  part(number: number, options: JobOptions): Promise<Uint8Array>;
  /** Called once, when no part is made any more. */
  close(): Promise<void>;
}

/** A restoration was read after it was closed, or meanwhile. */
class RestorationClosedError extends Error implements CoreError {
  override readonly name = 'RestorationClosedError';
  readonly code = 'RESTORATION_CLOSED';

  constructor() {
    super('the restoration is closed');
  }
}

/** A part that is made, or will be. */
interface RunningPart {
  readonly number: number;
  readonly bytes: Promise<Uint8Array>;
}

export class PartRestoration implements Restoration {
  readonly summary: LayerSummary;
  readonly #source: PartSource;
  readonly #ahead: number;
  readonly #running = new Set<Promise<unknown>>();
  readonly #closing = new AbortController();
  #closed: Promise<void> | undefined;

  /** @param ahead Parts of one reader that are made at the same time. */
  constructor(source: PartSource, ahead: number) {
    this.summary = source.summary;
    this.#source = source;
    this.#ahead = ahead;
  }

  async *read(options: ReadOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
    const { start = 0, end = this.summary.size } = options;
    const leaving = new AbortController();
    const { signal } = leaving;
    const detach = follow(leaving, [options.signal, this.#closing.signal]);
    const ahead: RunningPart[] = [];
    const { partEnds } = this.#source;
    try {
      for (let next = findPart(partEnds, start); ; ) {
        signal.throwIfAborted();
        for (; ahead.length < this.#ahead && isWanted(partEnds, next, end); next += 1)
          ahead.push({ number: next, bytes: this.#start(next, signal) });
        const first = ahead.shift();
        if (first === undefined) return;
        const piece = cut(await first.bytes, partStart(partEnds, first.number), start, end);
        signal.throwIfAborted();
        if (piece.length > 0) yield piece;
      }
    } finally {
      detach();
      // Parts under way end as soon as nobody reads any more.
      leaving.abort();
      await Promise.allSettled(ahead.map(({ bytes }) => bytes));
    }
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#closing.abort(new RestorationClosedError());
    await Promise.allSettled(this.#running);
    await this.#source.close();
  }

  #start(number: number, signal: AbortSignal): Promise<Uint8Array> {
    const bytes = this.#source.part(number, { signal });
    this.#running.add(bytes);
    const end = (): void => {
      this.#running.delete(bytes);
    };
    // That it fails is no defect when nobody comes to wait for it.
    bytes.then(end, end);
    return bytes;
  }
}

/** Aborts with the first of the signals, until what it gives is called. */
function follow(
  controller: AbortController,
  signals: readonly (AbortSignal | undefined)[],
): () => void {
  const detachers = signals.map((signal) => {
    const abort = (): void => controller.abort(signal?.reason);
    if (signal?.aborted === true) abort();
    signal?.addEventListener('abort', abort, { once: true });
    return () => signal?.removeEventListener('abort', abort);
  });
  return () => {
    for (const detach of detachers) detach();
  };
}

function isWanted(partEnds: Float64Array, number: number, end: number): boolean {
  return number < partEnds.length && partStart(partEnds, number) < end;
}

function partStart(partEnds: Float64Array, number: number): number {
  return partEnds[number - 1] ?? 0;
}

/** The part that a byte of the layer is in; their number if it is after the last. */
function findPart(partEnds: Float64Array, offset: number): number {
  let low = 0;
  let high = partEnds.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((partEnds[middle] ?? 0) <= offset) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** What of a part lies between `start` and `end` of the layer. */
function cut(part: Uint8Array, offset: number, start: number, end: number): Uint8Array {
  return part.subarray(Math.max(0, start - offset), Math.max(0, end - offset));
}
