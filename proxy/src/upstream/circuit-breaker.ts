// Keeps requests away from an upstream that does not answer, and finds out when it does again.

import type { Clock } from '../runtime/runtime.ts';

export type CircuitState = 'closed' | 'open' | 'half-open';

/** Requests in a row that fail before the circuit opens; each of them was already retried. */
const FAILURES_TO_OPEN = 5;
const FIRST_OPEN_MS = 5000;
const MAX_OPEN_MS = 60_000;

/** What came of a request: `failed` is no answer or a 5xx; `unknown` when it was given up by who asked. */
export type CircuitOutcome = 'answered' | 'failed' | 'unknown';

/**
 * Opens after some failures in a row. After a while one request is let through as a trial:
 * its answer closes the circuit, its failure opens it for twice as long.
 */
export class CircuitBreaker {
  readonly #clock: Pick<Clock, 'now'>;
  #failures = 0;
  #openMs = FIRST_OPEN_MS;
  #openUntilMs: number | undefined;
  #isTrying = false;

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  get state(): CircuitState {
    if (this.#openUntilMs === undefined) return 'closed';
    return this.#isTrying || this.#clock.now() >= this.#openUntilMs ? 'half-open' : 'open';
  }

  /** 0 when a request may go; else the seconds after which to ask again. A request that goes must call `leave`. */
  enter(): number {
    if (this.#openUntilMs === undefined) return 0;
    const waitMs = this.#openUntilMs - this.#clock.now();
    if (waitMs > 0) return Math.ceil(waitMs / 1000);
    if (this.#isTrying) return 1;
    this.#isTrying = true;
    return 0;
  }

  /** Notes what came of a request. */
  leave(outcome: CircuitOutcome): void {
    this.#isTrying = false;
    if (outcome === 'unknown') return;
    if (outcome === 'answered') {
      this.#failures = 0;
      this.#openUntilMs = undefined;
      this.#openMs = FIRST_OPEN_MS;
      return;
    }
    this.#failures += 1;
    if (this.#openUntilMs !== undefined) this.#reopen();
    else if (this.#failures >= FAILURES_TO_OPEN)
      this.#openUntilMs = this.#clock.now() + this.#openMs;
  }

  /** A trial failed; failures of requests from before the circuit opened do not make it longer. */
  #reopen(): void {
    if (this.#openUntilMs === undefined || this.#clock.now() < this.#openUntilMs) return;
    this.#openMs = Math.min(MAX_OPEN_MS, this.#openMs * 2);
    this.#openUntilMs = this.#clock.now() + this.#openMs;
  }
}
