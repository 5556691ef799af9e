// Collects garbage again and again while the mirror serves.

import type { Tier } from './dedup/open-tier.ts';
import type { TierWork } from './dedup/tier-work.ts';
import type { Log } from './log.ts';
import type { Clock } from './runtime/runtime.ts';
import { collectGarbage } from './store/collect.ts';

/** How often garbage is collected, ms. */
const COLLECT_EVERY_MS = 60 * 60 * 1000;

export interface CollectRegularlyOptions {
  readonly tier: Tier;
  readonly work: TierWork;
  readonly clock: Clock;
  readonly log: Log;
  /** When the layers are looked at first, ms. */
  readonly firstMs: number;
}

/** Looks at the layers soon, and collects every hour; gives the function that ends it. */
export function collectRegularly(options: CollectRegularlyOptions): () => Promise<void> {
  const abort = new AbortController();
  const ended = keepRunning(options, abort.signal);
  return async () => {
    abort.abort();
    await ended;
  };
}

async function keepRunning(options: CollectRegularlyOptions, signal: AbortSignal): Promise<void> {
  const { clock, log } = options;
  let isFirst = true;
  while (!signal.aborted) {
    try {
      if (isFirst) {
        await clock.sleep(options.firstMs, signal);
        await options.work.collect();
      }
      isFirst = false;
      await clock.sleep(COLLECT_EVERY_MS, signal);
      await collectOnce(options, signal);
    } catch (error) {
      isFirst = false;
      if (!signal.aborted) log.error({ err: error }, 'garbage could not be collected');
    }
  }
}

async function collectOnce(
  { tier, work, clock, log }: CollectRegularlyOptions,
  signal: AbortSignal,
): Promise<void> {
  const { index } = tier.folder;
  const collected = await collectGarbage({ store: tier.store, index, clock });
  const { recipes, packs, bytes } = await tier.collect(signal);
  log.info({ ...collected, recipes, packs, unused: bytes }, 'garbage was collected');
  await work.collect();
}
