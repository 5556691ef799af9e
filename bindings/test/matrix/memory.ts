// What something costs. The memory of the core's threads is the process's, and seen from outside.

import { setInterval } from 'node:timers';

const INTERVAL_MS = 20;

export interface Measured<T> {
  readonly result: T;
  /** Bytes of the whole process at most, as it ran. */
  readonly peak: number;
  readonly seconds: number;
}

export async function measure<T>(work: () => Promise<T>): Promise<Measured<T>> {
  const started = performance.now();
  let peak = 0;
  const look = (): void => {
    peak = Math.max(peak, process.memoryUsage.rss());
  };
  const timer = setInterval(look, INTERVAL_MS);
  try {
    look();
    const result = await work();
    look();
    return { result, peak, seconds: (performance.now() - started) / 1000 };
  } finally {
    clearInterval(timer);
  }
}
