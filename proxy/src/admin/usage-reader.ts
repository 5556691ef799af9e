// Counts what the store holds, not more often than it is worth.

import { readLayerStats } from '../dedup/layer-stats.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { BlobStore } from '../store/blob-store.ts';
import type { DataFolder } from '../store/data-folder.ts';
import { measureDisk } from '../store/disk-usage.ts';
import type { StoreSpace } from '../store/store-space.ts';
import { measureBytes } from '../store/usage.ts';
import { cachedCount } from './cached-count.ts';
import type { StoreUsage } from './stats.ts';

/** How long a count is shown at least, ms. */
const USAGE_AGE_MS = 1000;

export interface UsageReaderOptions {
  readonly folder: DataFolder;
  readonly store: BlobStore;
  readonly space: StoreSpace;
  readonly runtime: Runtime;
}

/** Counts when it is asked and the last count is old; it reads every folder. */
export function usageReader(options: UsageReaderOptions): () => Promise<StoreUsage> {
  const { clock } = options.runtime;
  return cachedCount({ clock, ageMs: USAGE_AGE_MS, read: () => readUsage(options) });
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
