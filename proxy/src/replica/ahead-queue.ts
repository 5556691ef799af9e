// Makes layers ahead, one after another, those that are due first.

import type { Log } from '../log.ts';
import type { Digest } from '../oci/digest.ts';
import type { Clock } from '../runtime/runtime.ts';
import type { MadeLayer } from './made-ahead.ts';

/** Layers that wait; what comes beyond is not made. */
const MAX_WAITING = 64;

/** A layer that is not begun so long after it was due is not made any more, ms. */
const MAX_LATE_MS = 5000;

/** How often it is looked whether clients still wait, ms: about the time of a piece. */
const POLL_MS = 20;

export interface AheadQueueOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Whether clients wait for bytes at this moment. */
  isBusy(): boolean;
  /** Makes a layer, with a pause() between pieces; says whether it did. */
  make(layer: MadeLayer, signal: AbortSignal): Promise<boolean>;
  onMade(layer: MadeLayer): void;
}

/** The layer is not wanted any more. */
class NotWantedError extends Error {
  override readonly name = 'NotWantedError';
}

export class AheadQueue {
  readonly #options: AheadQueueOptions;
  /** Those due first in front. */
  readonly #waiting: MadeLayer[] = [];
  readonly #ended = new AbortController();
  #current: { readonly layer: MadeLayer; readonly abort: AbortController } | undefined;
  #running: Promise<void> | undefined;

  constructor(options: AheadQueueOptions) {
    this.#options = options;
  }

  has(digest: Digest): boolean {
    const isWaiting = this.#waiting.some((layer) => layer.digest === digest);
    return isWaiting || this.#current?.layer.digest === digest;
  }

  /** Bytes of what waits or is being made. */
  sizeIn(place: MadeLayer['place']): number {
    const current = this.#current === undefined ? [] : [this.#current.layer];
    const layers = [...this.#waiting, ...current].filter((layer) => layer.place === place);
    return layers.reduce((sum, { size }) => sum + size, 0);
  }

  add(layer: MadeLayer): void {
    if (this.#waiting.length >= MAX_WAITING || this.#ended.signal.aborted) return;
    const at = this.#waiting.findIndex(({ dueMs }) => dueMs > layer.dueMs);
    this.#waiting.splice(at < 0 ? this.#waiting.length : at, 0, layer);
    this.#start();
  }

  /** The layer is asked for: what is not ready yet would only be made twice. */
  cancel(digest: Digest): void {
    const at = this.#waiting.findIndex((layer) => layer.digest === digest);
    if (at >= 0) this.#waiting.splice(at, 1);
    if (this.#current?.layer.digest === digest)
      this.#current.abort.abort(new NotWantedError(`${digest} is asked for already`));
  }

  /** Waits while clients wait, so that they come first; rejects when the layer is not wanted any more. */
  async pause(signal: AbortSignal): Promise<void> {
    const { clock, isBusy } = this.#options;
    const dueMs = this.#current?.layer.dueMs ?? 0;
    while (isBusy()) {
      if (clock.now() > dueMs + MAX_LATE_MS) throw new NotWantedError('it is too late');
      await clock.sleep(POLL_MS, signal);
    }
    signal.throwIfAborted();
  }

  async close(): Promise<void> {
    this.#waiting.length = 0;
    this.#ended.abort();
    this.#current?.abort.abort(new NotWantedError('Mica is stopping'));
    await this.#running;
  }

  #start(): void {
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
      if (this.#waiting.length > 0) this.#start();
    });
  }

  async #run(): Promise<void> {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift())
      await this.#work(next);
  }

  async #work(layer: MadeLayer): Promise<void> {
    const { clock, log, make, onMade } = this.#options;
    if (clock.now() > layer.dueMs + MAX_LATE_MS) return;
    const abort = new AbortController();
    this.#current = { layer, abort };
    try {
      await this.pause(abort.signal);
      if (await make(layer, abort.signal)) onMade(layer);
    } catch (error) {
      if (error instanceof NotWantedError) return;
      log.warn({ err: error, digest: layer.digest }, 'a layer could not be made ahead');
    } finally {
      this.#current = undefined;
    }
  }
}
