// A layer that is only a recipe, as all its readers share it: opened when the first one comes, closed a
// while after the last one went.

import type { Restoration } from 'mica-core/core';
import type { Digest } from '../oci/digest.ts';
import { RestoredRun } from './restored-run.ts';
import type { RunCopy } from './run-copy.ts';
import type { RunLimits } from './run-limits.ts';

export interface RestoredLayerOptions {
  readonly digest: Digest;
  /** Bytes of the layer. */
  readonly size: number;
  readonly limits: RunLimits;
  /** Opens recipe and packs. */
  open(): Promise<Restoration>;
  /** Takes what the next run makes, too, which begins at 0. */
  copyRun(): RunCopy | undefined;
  /** Whether the error tells that the layer cannot be made any more; then it is taken out of the store. */
  onError(error: unknown): Promise<void>;
  /** Nobody reads now. */
  onIdle(): void;
  /** A reader has ended: bytes it got, and how long it waited for them. */
  onRead(bytes: number, durationMs: number): void;
  /** Milliseconds since the epoch. */
  now(): number;
}

export class RestoredLayer {
  readonly #options: RestoredLayerOptions;
  readonly #runs: Set<RestoredRun> = new Set();
  #restoration: Promise<Restoration> | undefined;
  #readers = 0;
  #waiting = 0;

  constructor(options: RestoredLayerOptions) {
    this.#options = options;
  }

  get digest(): Digest {
    return this.#options.digest;
  }

  get size(): number {
    return this.#options.size;
  }

  get readers(): number {
    return this.#readers;
  }

  /** How many of them wait for bytes now. */
  get waiting(): number {
    return this.#waiting;
  }

  /** A reader waits for bytes, or has got them. */
  waits(isWaiting: boolean): void {
    this.#waiting += isWaiting ? 1 : -1;
  }

  /** Counts one more reader and opens the layer. Rejects with why it cannot be made, and then has no more. */
  async enter(): Promise<void> {
    this.#readers += 1;
    try {
      await this.#open();
    } catch (error) {
      this.leave();
      throw error;
    }
  }

  leave(): void {
    this.#readers -= 1;
    if (this.#readers === 0) this.#options.onIdle();
  }

  /** A run that can give bytes from a position on, at once or as the next ones. */
  async runAt(position: number): Promise<RestoredRun> {
    const restoration = await this.#open();
    const known = this.#find(position);
    if (known !== undefined) return known;
    // While there is no room another reader may begin it.
    const begin = () => this.#find(position) ?? this.#begin(restoration, position);
    return this.#options.limits.begin(begin);
  }

  /** Tells whoever keeps the layer of an error in a run. */
  failed(error: unknown): Promise<void> {
    return this.#options.onError(error);
  }

  /** Counts what one reader got. */
  told(bytes: number, durationMs: number): void {
    this.#options.onRead(bytes, durationMs);
  }

  now(): number {
    return this.#options.now();
  }

  /** Ends all runs and lets go of the files; the next reader opens them again. */
  async close(): Promise<void> {
    const opened = this.#restoration;
    this.#restoration = undefined;
    for (const run of [...this.#runs]) run.close();
    // What could not be opened has told so already.
    await opened?.then(
      (restoration) => restoration.close(),
      () => undefined,
    );
  }

  #begin(restoration: Restoration, position: number): RestoredRun {
    const { size, limits, copyRun } = this.#options;
    const run: RestoredRun = new RestoredRun(restoration, position, {
      // What begins in the middle is no whole copy.
      ...{ size, limits, copy: position === 0 ? copyRun() : undefined },
      onClose: () => this.#runs.delete(run),
    });
    this.#runs.add(run);
    return run;
  }

  #find(position: number): RestoredRun | undefined {
    return [...this.#runs].find((run) => run.holds(position));
  }

  #open(): Promise<Restoration> {
    if (this.#restoration === undefined) {
      const opening = this.#options.open();
      this.#restoration = opening;
      opening.catch(() => {
        if (this.#restoration === opening) this.#restoration = undefined;
      });
    }
    return this.#restoration;
  }
}
