// Random numbers that are the same for the same seed, so that a failed run can be repeated.

/** Mulberry32: https://gist.github.com/tommyettinger/46a874533244883189143505d203312c */
export class SeededRandom {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  /** From 0 up to, not including, 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number of `least` or more, below `limit`. */
  integer(least: number, limit: number): number {
    return least + Math.floor(this.next() * (limit - least));
  }

  /** A size whose magnitude is even: as many between 1 and 2 KiB as between 1 and 2 MiB. */
  size(least: number, limit: number): number {
    return Math.floor(least * (limit / least) ** this.next());
  }
}
