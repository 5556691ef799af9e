// A layer that is only a recipe as a source of bytes: made while it is read, from any position.

import { type BlobSource, ShortBlobError } from '../store/blob-store.ts';
import type { RestoredLayer } from './restored-layer.ts';
import type { RestoredRun } from './restored-run.ts';

export class RestoredSource implements BlobSource {
  readonly #layer: RestoredLayer;
  #run: RestoredRun | undefined;
  #isClosed = false;
  #given = 0;
  #waitedMs = 0;

  /** `layer` has been entered; the source leaves it. */
  constructor(layer: RestoredLayer) {
    this.#layer = layer;
  }

  get size(): number {
    return this.#layer.size;
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    const wanted = Math.min(into.length, this.size - position);
    if (wanted <= 0) return 0;
    const target = into.length === wanted ? into : into.subarray(0, wanted);
    const startMs = this.#layer.now();
    this.#layer.waits(true);
    try {
      const count = await this.#readSome(target, position);
      this.#given += count;
      this.#waitedMs += this.#layer.now() - startMs;
      return count;
    } finally {
      this.#layer.waits(false);
    }
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#run?.leave(this);
    this.#layer.leave();
    this.#layer.told(this.#given, this.#waitedMs);
  }

  async #readSome(into: Uint8Array, position: number): Promise<number> {
    for (;;) {
      if (this.#isClosed) throw this.#short(position, new Error('the source was closed'));
      const count = await this.#readOnce(into, position);
      if (count > 0) return count;
    }
  }

  /** 0 when the run that had the position has gone on or away. */
  async #readOnce(into: Uint8Array, position: number): Promise<number> {
    let run: RestoredRun | undefined;
    try {
      run = await this.#runAt(position);
      return await run.read(into, position);
    } catch (error) {
      if (run?.isOver === true) return 0;
      await this.#layer.failed(error);
      throw this.#short(position, error);
    }
  }

  async #runAt(position: number): Promise<RestoredRun> {
    const known = this.#run;
    if (known?.holds(position) === true) return known;
    const run = await this.#layer.runAt(position);
    run.enter(this);
    if (this.#isClosed) run.leave(this);
    else if (this.#run !== run) {
      this.#run?.leave(this);
      this.#run = run;
    }
    return run;
  }

  #short(position: number, cause: unknown): ShortBlobError {
    const { digest, size } = this.#layer;
    const message = `${digest}: not all ${size} bytes can be made again: it failed at ${position}`;
    return new ShortBlobError(digest, message, { cause });
  }
}
