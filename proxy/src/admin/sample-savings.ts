// Adds to the history of savings while the mirror serves.

import type { Log } from '../log.ts';
import type { Clock } from '../runtime/runtime.ts';
import type { SavingsHistory } from './savings-history.ts';
import type { StoreUsage } from './stats.ts';

/** How often a sample is taken, ms. */
const SAMPLE_EVERY_MS = 60_000;

export interface SampleSavingsOptions {
  readonly history: SavingsHistory;
  readonly usage: () => Promise<StoreUsage>;
  readonly clock: Clock;
  readonly log: Log;
  /** When the first sample is taken, ms; at once when absent. */
  readonly firstMs?: number | undefined;
}

/** Samples soon and every minute; gives the function that ends it. */
export function sampleSavings(options: SampleSavingsOptions): () => Promise<void> {
  const abort = new AbortController();
  const ended = keepSampling(options, abort.signal);
  return async () => {
    abort.abort();
    await ended;
  };
}

async function keepSampling(options: SampleSavingsOptions, signal: AbortSignal): Promise<void> {
  const { clock, log, firstMs = 0 } = options;
  if (firstMs > 0) await clock.sleep(firstMs, signal).catch(() => undefined);
  while (!signal.aborted) {
    try {
      await sampleOnce(options);
    } catch (error) {
      // A full disk, for one: the next sample may find room.
      log.warn({ err: error }, 'a sample of the savings could not be kept');
    }
    // The only rejection of sleep() is the abort.
    await clock.sleep(SAMPLE_EVERY_MS, signal).catch(() => undefined);
  }
}

async function sampleOnce({ history, usage, clock }: SampleSavingsOptions): Promise<void> {
  const { tar, compressed, stored } = (await usage()).layers.bytes;
  await history.add({ atMs: clock.now(), tar, compressed, stored });
}
