// The parts of a layer that one reader has under way.

import type { JobOptions } from './core.ts';
import type { PartEncoder } from './restoration.ts';

/** A part that was made. One of its functions is to be called, once. */
export interface MadePart {
  /** Bytes. */
  readonly length: number;
  /** Writes all of it to the beginning of `into`. */
  takeInto(into: Uint8Array): void;
  letGo(): void;
}

export type StartPart = (number: number, options: JobOptions) => Promise<MadePart>;

export class PartReading {
  readonly #startPart: StartPart;
  /** Each has a signal of its own: runtimes warn of many listeners on one. */
  readonly #running = new Map<Promise<MadePart>, AbortController>();
  readonly #ending = new AbortController();

  constructor(startPart: StartPart) {
    this.#startPart = startPart;
  }

  start(number: number): Promise<MadePart> {
    return this.#run((options) => this.#startPart(number, options));
  }

  /** Passes a part on, as one more thing that is under way. */
  encode(encoder: PartEncoder, part: MadePart): Promise<MadePart> {
    return this.#run((options) => encoder.encode(part, options));
  }

  #run(start: (options: JobOptions) => Promise<MadePart>): Promise<MadePart> {
    const controller = new AbortController();
    const part = start({ signal: controller.signal });
    this.#running.set(part, controller);
    const forget = (): void => {
      this.#running.delete(part);
    };
    // That it fails is no defect when nobody comes to wait for it.
    part.then(forget, forget);
    return part;
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
