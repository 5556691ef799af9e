// Cuts long work on the event loop into slices of time, with a turn for everything else between them.

/** Longest stretch of work, in ms. */
const SLICE_MS = 2;

/** Steps between looks at the clock: each takes a few microseconds. */
const STEPS = 16;

/** Resolves when everything that is due has happened once. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

export class TurnTaker {
  #steps = 0;
  #started: number = performance.now();

  /** Counts a step; whether it is time to let others go first. */
  isDue(): boolean {
    this.#steps = (this.#steps + 1) % STEPS;
    return this.#steps === 0 && performance.now() - this.#started >= SLICE_MS;
  }

  /** Lets others go first. */
  async next(): Promise<void> {
    await nextTurn();
    this.#started = performance.now();
  }
}
