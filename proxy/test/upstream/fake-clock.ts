// A clock that stands still until it is moved.

import type { Clock } from '../../src/runtime/runtime.ts';

export class FakeClock implements Clock {
  #nowMs = Date.parse('2026-01-01T00:00:00Z');

  now(): number {
    return this.#nowMs;
  }

  advance(durationMs: number): void {
    this.#nowMs += durationMs;
  }

  /** Time passes at once. */
  sleep(durationMs: number): Promise<void> {
    this.advance(durationMs);
    return Promise.resolve();
  }
}
