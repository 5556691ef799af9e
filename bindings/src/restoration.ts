// A layer made again part by part, for both flavours of the core: which parts are wanted, how many are
// made ahead, and what of them is given out.

import type { CoreError, JobOptions, LayerSummary, ReadOptions, Restoration } from './core.ts';
import { type MadePart, PartReading } from './part-reading.ts';
import { PieceRoom } from './piece-room.ts';

/**
 * Bytes of a layer a second at which a reader should have everything: less than one thread makes. So small
 * layers come before large ones that were asked for just before, and nobody waits for ever.
 */
const DUE_RATE = 10e6;

export interface PartOptions extends JobOptions {
  /** When its reader should have everything, ms. Threads make first what is due first. */
  readonly due: number;
}

/** What makes the parts. */
export interface PartSource {
  readonly summary: LayerSummary;
  /** Where each part ends in the layer, ascending. */
  readonly partEnds: Float64Array;
  part(number: number, options: PartOptions): Promise<MadePart>;
  /** What the parts have to be passed through; nothing where they are the layer. */
  encoder(): PartEncoder | undefined;
  /** Called once, when no part is made any more. */
  close(): Promise<void>;
}

/** Makes a layer of its parts: all of them, in order, one after the other. */
export interface PartEncoder {
  /** Takes a part; gives what of the layer is ready then. */
  encode(part: MadePart, options: JobOptions): Promise<MadePart>;
  close(): void;
}

/** A restoration was read after it was closed, or meanwhile. */
class RestorationClosedError extends Error implements CoreError {
  override readonly name = 'RestorationClosedError';
  readonly code = 'RESTORATION_CLOSED';

  constructor() {
    super('the restoration is closed');
  }
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
    const due = this.#dueOf(options);
    const reading = new PartReading((number, job) => this.#source.part(number, { ...job, due }));
    const abort = (): void => reading.end(signal?.reason);
    signal?.addEventListener('abort', abort, { once: true });
    this.#readings.add(reading);
    let encoder: PartEncoder | undefined;
    try {
      encoder = this.#source.encoder();
      yield* this.#pieces(reading, encoder, options);
    } finally {
      signal?.removeEventListener('abort', abort);
      // Parts under way end as soon as nobody reads any more.
      reading.end(undefined);
      await reading.settled();
      encoder?.close();
      this.#readings.delete(reading);
    }
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  #dueOf({ start = 0, end = this.summary.size }: ReadOptions): number {
    return Math.round(performance.now() + (Math.max(0, end - start) / DUE_RATE) * 1000);
  }

  async *#pieces(
    reading: PartReading,
    encoder: PartEncoder | undefined,
    { start = 0, end = this.summary.size }: ReadOptions,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const { partEnds } = this.#source;
    // What an encoder makes depends on all that it was given before.
    const first = encoder === undefined ? findPart(partEnds, start) : 0;
    const room = new PieceRoom(largestPart(partEnds, first, end));
    const ahead: Promise<MadePart>[] = [];
    let offset = partStart(partEnds, first);
    try {
      for (let next = first; ; ) {
        reading.throwIfEnded();
        for (; ahead.length < this.#ahead && isWanted(partEnds, next, end); next += 1)
          ahead.push(reading.start(next));
        const [part] = ahead;
        if (part === undefined) return;
        const bytes = await takePart(reading, encoder, await part, room);
        ahead.splice(0, 1);
        const piece = cut(bytes, offset, start, end);
        offset += bytes.length;
        if (piece.length > 0) yield piece;
      }
    } finally {
      for (const part of ahead) letGoWhenMade(part);
    }
  }

  async #close(): Promise<void> {
    const readings = [...this.#readings];
    for (const reading of readings) reading.end(new RestorationClosedError());
    await Promise.all(readings.map((reading) => reading.settled()));
    await this.#source.close();
  }
}

/** A part's bytes of the layer, in the room for the next piece. */
async function takePart(
  reading: PartReading,
  encoder: PartEncoder | undefined,
  part: MadePart,
  room: PieceRoom,
): Promise<Uint8Array> {
  reading.throwIfEnded();
  const made = encoder === undefined ? part : await reading.encode(encoder, part);
  const bytes = room.next(made.length);
  made.takeInto(bytes);
  return bytes;
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
