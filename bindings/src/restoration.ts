// A layer made again part by part, for both flavours of the core: which parts are wanted, how many are
// made ahead, and what of them is given out.

import type { JobOptions, LayerSummary, ReadOptions, Restoration } from './core.ts';

/** What makes the parts. */
export interface PartSource {
  readonly summary: LayerSummary;
  /** Where each part ends in the layer, ascending. */
  readonly partEnds: Float64Array;
  part(number: number, options: JobOptions): Promise<Uint8Array>;
}

export class PartRestoration implements Restoration {
  readonly #source: PartSource;
  readonly #ahead: number;

  /** @param ahead Parts that are made at the same time. */
  constructor(source: PartSource, ahead: number) {
    this.#source = source;
    this.#ahead = ahead;
  }

  get summary(): LayerSummary {
    return this.#source.summary;
  }

  async *read(options: ReadOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
    const { start = 0, end = this.summary.size, signal } = options;
    signal?.throwIfAborted();
    // Parts under way end as soon as nobody reads any more.
    const leaving = new AbortController();
    const signals = signal === undefined ? [leaving.signal] : [leaving.signal, signal];
    const job = { signal: AbortSignal.any(signals) };
    const { partEnds } = this.#source;
    const running: { readonly number: number; readonly bytes: Promise<Uint8Array> }[] = [];
    let next = findPart(partEnds, start);
    const isWanted = (number: number): boolean =>
      number < partEnds.length && partStart(partEnds, number) < end;
    try {
      for (;;) {
        for (; running.length < this.#ahead && isWanted(next); next += 1)
          running.push({ number: next, bytes: watched(this.#source.part(next, job)) });
        const first = running.shift();
        if (first === undefined) return;
        const piece = cut(await first.bytes, partStart(partEnds, first.number), start, end);
        if (piece.length > 0) yield piece;
        signal?.throwIfAborted();
      }
    } finally {
      leaving.abort();
      await Promise.allSettled(running.map(({ bytes }) => bytes));
    }
  }
}

/** The promise, whose rejection is no defect when nobody comes to wait for it. */
function watched<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
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
