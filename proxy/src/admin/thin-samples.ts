// Which samples of a history stay: the older, the fewer, so that years fit into a thousand of them.

export interface Sample {
  /** When it was taken, ms since the epoch. */
  readonly atMs: number;
}

/** Samples that are left out lie between two that are apart by this share of their age at most. */
const GAP_RATIO = 1 / 48;

/** All that are ever kept. Ten years of a sample a minute thin to 850. */
const MAX_SAMPLES = 2000;

/**
 * The samples that stay, in order of time. The first and the last do, and of the others as many as it takes
 * for a picture of any length to look alike. Those of the future are dropped: the clock was wrong.
 */
export function thinSamples<T extends Sample>(samples: readonly T[], nowMs: number): T[] {
  const kept: T[] = [];
  const known = samples.filter(({ atMs }) => atMs <= nowMs);
  for (const [at, sample] of known.entries()) {
    const before = kept.at(-1);
    const after = known[at + 1];
    const isNeeded =
      before === undefined ||
      after === undefined ||
      after.atMs - before.atMs > (nowMs - sample.atMs) * GAP_RATIO;
    if (isNeeded) kept.push(sample);
  }
  return kept.slice(-MAX_SAMPLES);
}
