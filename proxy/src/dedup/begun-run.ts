// The beginning of a layer that is made before anybody asks for it: it stays in the window of the run, where
// the reader who comes finds it, and goes on from there.

import type { RestoredLayer } from './restored-layer.ts';
import type { RestoredRun } from './restored-run.ts';

/** Read at a time and thrown away, bytes: the run has them. */
const READ_SIZE = 256 * 1024;

export class BegunRun {
  readonly #layer: RestoredLayer;
  #run: RestoredRun | undefined;
  #position = 0;
  #isClosed = false;

  /** `layer` has been entered; the run leaves it. */
  constructor(layer: RestoredLayer) {
    this.#layer = layer;
  }

  /** Bytes that are made. */
  get length(): number {
    return this.#position;
  }

  /** Makes some more; false when the layer ends there, or the run has gone on or away. */
  async makeMore(): Promise<boolean> {
    if (this.#isClosed || this.#position >= this.#layer.size) return false;
    try {
      const run = await this.#enter();
      if (!run.holds(this.#position)) return false;
      this.#position += await run.read(new Uint8Array(READ_SIZE), this.#position);
      return true;
    } catch (error) {
      if (this.#run?.isOver !== true) await this.#layer.failed(error);
      return false;
    }
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#run?.leave(this);
    this.#layer.leave();
  }

  async #enter(): Promise<RestoredRun> {
    if (this.#run === undefined) {
      const run = await this.#layer.runAt(0);
      run.enter(this);
      if (this.#isClosed) run.leave(this);
      this.#run = run;
    }
    return this.#run;
  }
}
