// One waiter's view of a fill: reads what is there, waits for what is not.

import { type BlobSource, ShortBlobError } from '../store/blob-store.ts';
import type { Fill } from './fill.ts';
import type { PassThroughSource } from './pass-through-source.ts';

export class FillSource implements BlobSource {
  readonly size: number;
  readonly #fill: Fill;
  #passThrough: PassThroughSource | undefined;
  #change: Promise<void> | undefined;
  #wake: () => void = () => undefined;
  #isClosed = false;

  /** Use Fill.open(), which counts its readers. */
  constructor(fill: Fill, size: number) {
    this.#fill = fill;
    this.size = size;
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    if (position >= this.size) return 0;
    for (;;) {
      if (this.#isClosed) throw new ShortBlobError(this.#fill.digest, 'the source was closed');
      const state = this.#fill.state;
      if (state.kind === 'failed') {
        throw new ShortBlobError(this.#fill.digest, 'the fill failed', { cause: state.error });
      }
      if (state.kind === 'unstored') {
        this.#passThrough ??= this.#fill.passThrough(this.size);
        return this.#passThrough.read(into, position);
      }
      const length = Math.min(into.length, this.#fill.readable - position);
      if (length > 0) return this.#fill.read(into.subarray(0, length), position);
      await this.#changed();
    }
  }

  /** Ends a wait: the fill has more bytes or another state. */
  wake(): void {
    this.#change = undefined;
    this.#wake();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#passThrough?.close();
    this.wake();
    this.#fill.leave(this);
  }

  #changed(): Promise<void> {
    this.#change ??= new Promise((resolve) => {
      this.#wake = resolve;
    });
    return this.#change;
  }
}
