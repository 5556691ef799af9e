// A layer made again part by part, for both flavours of the core: which parts are wanted, how many are
// made ahead, and what of them is given out.

import type { CoreError, JobOptions, LayerSummary, ReadOptions, Restoration } from './core.ts';
import { type MadePart, PartReading } from './part-reading.ts';
import { PieceRoom } from './piece-room.ts';

/** What makes the parts. */
export interface PartSource {
  readonly summary: LayerSummary;
  /** Where each part ends in the layer, ascending. */
  readonly partEnds: Float64Array;
  part(number: number, options: JobOptions): Promise<MadePart>;
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
interface AheadPart {
  readonly number: number;
  readonly made: Promise<MadePart>;
}

export class PartRestoration implements Restoration {
  readonly summary: LayerSummary;
  readonly #source: PartSource;
  readonly #ahead: number;
  readonly #readings = new Set<PartReading>();
  #closed: Promise<void> | undefined;

  /** @param ahead Parts of one reader that are made at the same time. */
  constructor(source: PartSource, ahead: number) {
    this.summary = source.summary;
    this.#source = source;
    this.#ahead = ahead;
  }

  async *read(options: ReadOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
    const { signal } = options;
    signal?.throwIfAborted();
    if (this.#closed !== undefined) throw new RestorationClosedError();
    const reading = new PartReading((number, job) => this.#source.part(number, job));
    const abort = (): void => reading.end(signal?.reason);
    signal?.addEventListener('abort', abort, { once: true });
    this.#readings.add(reading);
    try {
      yield* this.#pieces(reading, options);
    } finally {
      signal?.removeEventListener('abort', abort);
      // Parts under way end as soon as nobody reads any more.
      reading.end(undefined);
      await reading.settled();
      this.#readings.delete(reading);
    }
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async *#pieces(
    reading: PartReading,
    { start = 0, end = this.summary.size }: ReadOptions,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const { partEnds } = this.#source;
    const first = findPart(partEnds, start);
    const room = new PieceRoom(largestPart(partEnds, first, end));
    const ahead: AheadPart[] = [];
    try {
      for (let next = first; ; ) {
        reading.throwIfEnded();
        for (; ahead.length < this.#ahead && isWanted(partEnds, next, end); next += 1)
          ahead.push({ number: next, made: reading.start(next) });
        const [part] = ahead;
        if (part === undefined) return;
        const made = await part.made;
        reading.throwIfEnded();
        const bytes = room.next(partSize(partEnds, part.number));
        made.takeInto(bytes);
        ahead.shift();
        const piece = cut(bytes, partStart(partEnds, part.number), start, end);
        if (piece.length > 0) yield piece;
      }
    } finally {
      for (const { made } of ahead) letGoWhenMade(made);
    }
  }

  async #close(): Promise<void> {
    const readings = [...this.#readings];
    for (const reading of readings) reading.end(new RestorationClosedError());
    await Promise.all(readings.map((reading) => reading.settled()));
    await this.#source.close();
  }
}

function isWanted(partEnds: Float64Array, number: number, end: number): boolean {
  return number < partEnds.length && partStart(partEnds, number) < end;
}

function partStart(partEnds: Float64Array, number: number): number {
  return partEnds[number - 1] ?? 0;
}

function partSize(partEnds: Float64Array, number: number): number {
  return partStart(partEnds, number + 1) - partStart(partEnds, number);
}

/** Bytes of the largest part that a read up to `end` wants. */
function largestPart(partEnds: Float64Array, first: number, end: number): number {
  let largest = 0;
  for (let number = first; isWanted(partEnds, number, end); number += 1)
    largest = Math.max(largest, partSize(partEnds, number));
  return largest;
}

function letGoWhenMade(made: Promise<MadePart>): void {
  made.then(
    (part) => part.letGo(),
    () => {
      // It was not made.
    },
  );
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
