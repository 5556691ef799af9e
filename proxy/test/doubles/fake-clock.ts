// A clock that stands still until a test moves it.

import type { Clock } from '../../src/runtime/runtime.ts';

interface Sleeper {
  readonly untilMs: number;
  readonly wake: () => void;
}

/** A Sunday in 2025: far from zero, so that "never" (0) is long ago. */
const START_MS = 1_750_000_000_000;

export class FakeClock implements Clock {
  #nowMs: number;
  #sleepers: Sleeper[] = [];

  constructor(startMs: number = START_MS) {
    this.#nowMs = startMs;
  }

  /** How many calls of sleep() have not ended. */
  get sleeping(): number {
    return this.#sleepers.length;
  }

  now(): number {
    return this.#nowMs;
  }

  sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const sleeper = { untilMs: this.#nowMs + durationMs, wake };
      const abort = () => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
        reject(signal?.reason);
      };
      function wake(): void {
        signal?.removeEventListener('abort', abort);
        resolve();
      }
      signal?.addEventListener('abort', abort, { once: true });
      this.#sleepers.push(sleeper);
    });
  }

  /** Moves on and wakes the sleepers whose time has come, earliest first, each with time to sleep again. */
  async advance(durationMs: number): Promise<void> {
    const endMs = this.#nowMs + durationMs;
    await settle();
    for (let next = this.#due(endMs); next !== undefined; next = this.#due(endMs)) {
      const sleeper = next;
      this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
      this.#nowMs = Math.max(this.#nowMs, sleeper.untilMs);
      sleeper.wake();
      await settle();
    }
    this.#nowMs = endMs;
  }

  #due(endMs: number): Sleeper | undefined {
    return this.#sleepers
      .filter((sleeper) => sleeper.untilMs <= endMs)
      .sort((one, other) => one.untilMs - other.untilMs)[0];
  }
}

/** Lets everything run that waits for nothing but its turn. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
