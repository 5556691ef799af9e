// How long something took lately: the last durations, and what most of them were.

/** Durations that are remembered: enough for a tail of one in a hundred. */
const MAX_DURATIONS = 1000;

export interface DurationSummary {
  /** Of how many it tells. */
  readonly count: number;
  /** Half took no longer than this. */
  readonly medianSeconds: number;
  /** One in twenty took longer. */
  readonly p95Seconds: number;
  readonly maxSeconds: number;
}

export class RecentDurations {
  readonly #seconds: number[] = [];
  #next = 0;

  add(seconds: number): void {
    this.#seconds[this.#next] = seconds;
    this.#next = (this.#next + 1) % MAX_DURATIONS;
  }

  /** Undefined before the first. */
  summary(): DurationSummary | undefined {
    const sorted = this.#seconds.toSorted((one, other) => one - other);
    const maxSeconds = sorted.at(-1);
    if (maxSeconds === undefined) return undefined;
    const quantile = (share: number) => sorted[Math.ceil(share * sorted.length) - 1] ?? maxSeconds;
    return {
      count: sorted.length,
      medianSeconds: quantile(0.5),
      p95Seconds: quantile(0.95),
      maxSeconds,
    };
  }
}
