// The parts of a layer that one reader has under way.

import type { JobOptions } from './core.ts';

export type StartPart = (number: number, options: JobOptions) => Promise<Uint8Array>;

export class PartReading {
  readonly #startPart: StartPart;
  /** Each has a signal of its own: runtimes warn of many listeners on one. */
  readonly #running = new Map<Promise<Uint8Array>, AbortController>();
  readonly #ending = new AbortController();

  constructor(startPart: StartPart) {
    this.#startPart = startPart;
  }

  start(number: number): Promise<Uint8Array> {
    const controller = new AbortController();
    const bytes = this.#startPart(number, { signal: controller.signal });
    this.#running.set(bytes, controller);
    const forget = (): void => {
      this.#running.delete(bytes);
    };
    // That it fails is no defect when nobody comes to wait for it.
    bytes.then(forget, forget);
    return bytes;
  }

  /** Ends all parts. */
  end(reason: unknown): void {
    this.#ending.abort(reason);
    for (const controller of this.#running.values()) controller.abort(reason);
  }

  /** Throws the reason of the first `end`. */
  throwIfEnded(): void {
    this.#ending.signal.throwIfAborted();
  }

  /** Resolves once no part is under way. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#running.keys());
  }
}
