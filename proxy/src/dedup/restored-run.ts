// One pass over a layer that is made again, shared by the readers who are near each other.
//
// Pieces are made when a reader asks for what follows, and kept for a while for those who come behind.

import type { Restoration } from 'mica-core/core';
import type { RunCopy } from './run-copy.ts';
import type { LimitedRun, RunLimits } from './run-limits.ts';

export interface RestoredRunOptions {
  /** Bytes of the layer. */
  readonly size: number;
  readonly limits: RunLimits;
  /** Takes what is made, too. */
  readonly copy: RunCopy | undefined;
  onClose(): void;
}

export class RestoredRun implements LimitedRun {
  readonly #pieces: AsyncIterator<Uint8Array>;
  readonly #abort = new AbortController();
  readonly #options: RestoredRunOptions;
  readonly #readers: Set<object> = new Set();
  /** What it gave last, in order, up to the head. */
  readonly #window: Uint8Array[] = [];
  /** Position of the window's first byte, and of the next one to be made. */
  #start: number;
  #head: number;
  #pulling: Promise<void> | undefined;
  /** Settles when the copy can take more. */
  #copying: Promise<void> | undefined;
  #isClosed = false;
  #failure: { readonly error: unknown } | undefined;

  constructor(restoration: Restoration, position: number, options: RestoredRunOptions) {
    const { signal } = this.#abort;
    this.#pieces = restoration.read({ start: position, signal })[Symbol.asyncIterator]();
    this.#start = position;
    this.#head = position;
    this.#options = options;
  }

  get pulling(): Promise<void> | undefined {
    return this.#pulling;
  }

  /** Whether it ended without an error, so that its readers may begin another one. */
  get isOver(): boolean {
    return this.#isClosed && this.#failure === undefined;
  }

  /** Whether bytes from a position on are here, or the next to be made. */
  holds(position: number): boolean {
    return !this.#isClosed && this.#start <= position && position <= this.#head;
  }

  enter(reader: object): void {
    this.#readers.add(reader);
  }

  /** The last reader ends it. */
  leave(reader: object): void {
    if (this.#readers.delete(reader) && this.#readers.size === 0) this.close();
  }

  /**
   * Gives bytes from a position that it holds; 0 when the window has moved on meanwhile. Rejects with
   * the core's error, and with an abort when it was closed.
   */
  async read(into: Uint8Array, position: number): Promise<number> {
    this.#options.limits.used(this);
    if (position === this.#head) await this.#pull();
    return this.#copy(into, position);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const { limits, copy, size, onClose } = this.#options;
    limits.end(this);
    copy?.end(this.#head === size);
    this.#window.length = 0;
    this.#abort.abort(new Error('nobody reads any more'));
    // Its end says nothing new: whoever waits hears of the abort.
    this.#pieces.return?.().catch(() => undefined);
    onClose();
  }

  /** Makes the next piece; all who ask meanwhile wait for the same one. */
  #pull(): Promise<void> {
    this.#pulling ??= this.#makeNext().finally(() => {
      this.#pulling = undefined;
    });
    return this.#pulling;
  }

  async #makeNext(): Promise<void> {
    await this.#copying;
    const piece = await this.#next();
    this.#abort.signal.throwIfAborted();
    this.#copying = this.#options.copy?.append(piece, this.#head);
    this.#window.push(piece);
    this.#head += piece.length;
    this.#shrink();
  }

  async #next(): Promise<Uint8Array> {
    try {
      const next = await this.#pieces.next();
      // A piece is valid only until the next one is asked for.
      if (next.done !== true) return new Uint8Array(next.value);
      throw new Error(`the layer ended at ${this.#head}`);
    } catch (error) {
      if (!this.#isClosed) this.#failure = { error };
      this.close();
      throw error;
    }
  }

  /** Drops the oldest pieces while the rest is as much as may be kept. */
  #shrink(): void {
    const { windowSize } = this.#options.limits;
    for (let oldest = this.#window[0]; oldest !== undefined; oldest = this.#window[0]) {
      if (this.#window.length === 1 || this.#head - this.#start <= windowSize) return;
      this.#window.shift();
      this.#start += oldest.length;
    }
  }

  #copy(into: Uint8Array, position: number): number {
    let start = this.#start;
    let copied = 0;
    if (position < start) return 0;
    for (const piece of this.#window) {
      const end = start + piece.length;
      const from = position + copied;
      if (from < end && copied < into.length) {
        const part = piece.subarray(from - start, from - start + into.length - copied);
        into.set(part, copied);
        copied += part.length;
      }
      start = end;
    }
    return copied;
  }
}
