// Counts what the store holds, not more often than it is worth.

import { readLayerStats } from '../dedup/layer-stats.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { BlobStore } from '../store/blob-store.ts';
import type { DataFolder } from '../store/data-folder.ts';
import { measureDisk } from '../store/disk-usage.ts';
import type { StoreSpace } from '../store/store-space.ts';
import { measureBytes } from '../store/usage.ts';
import type { StoreUsage } from './stats.ts';

/** How long a count is shown: at least so many ms, and so many times as long as it took. */
const USAGE_AGE_MS = 1000;
const USAGE_AGE_RATIO = 50;

export interface UsageReaderOptions {
  readonly folder: DataFolder;
  readonly store: BlobStore;
  readonly space: StoreSpace;
  readonly runtime: Runtime;
}

interface Count {
  readonly usage: Promise<StoreUsage>;
  /** When the next one may begin, ms since the epoch. */
  untilMs: number;
}

/** Counts when it is asked and the last count is old; it reads every folder. */
export function usageReader(options: UsageReaderOptions): () => Promise<StoreUsage> {
  const { clock } = options.runtime;
  let last: Count | undefined;
  const begin = (): Count => {
    const startMs = clock.now();
    const usage = readUsage(options);
    const count = { usage, untilMs: Number.POSITIVE_INFINITY };
    const end = () => {
      const durationMs = clock.now() - startMs;
      count.untilMs = clock.now() + Math.max(USAGE_AGE_MS, USAGE_AGE_RATIO * durationMs);
    };
    // Whoever asked is told of a failure; the next one tries again.
    usage.then(end, () => {
      count.untilMs = 0;
    });
    return count;
  };
  return () => {
    if (last === undefined || clock.now() >= last.untilMs) last = begin();
    return last.usage;
  };
}

async function readUsage({
  folder,
  store,
  space,
  runtime,
}: UsageReaderOptions): Promise<StoreUsage> {
  const blobs = await measureBytes(store.list());
  const { limit } = await space.status();
  const stored = await measureDisk(runtime.files, folder.path);
  const { blobs: whole, files: index } = folder;
  const layers = await readLayerStats({ whole, index, stored });
  return { blobs: blobs.count, bytes: blobs.bytes, quota: limit, layers };
}
