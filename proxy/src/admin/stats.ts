// What the mirror did since it was started, as one JSON value.

import type { LayerStats } from '../dedup/layer-stats.ts';
import type { UpstreamStatus } from '../upstream/upstream.ts';
import type { Totals } from './metrics.ts';

/** What the store holds. */
export interface StoreUsage {
  readonly blobs: number;
  readonly bytes: number;
  /** Bytes that it may hold at most. */
  readonly quota?: number;
  readonly layers: LayerStats;
}

/** What takes layers apart and makes them again; `none` when it could not be loaded. */
export type CoreName = 'native' | 'wasm' | 'none';

export interface StatsParts {
  readonly version: string;
  /** Name and version: `node 20.20.2`. */
  readonly runtime: string;
  readonly core: CoreName;
  readonly startedMs: number;
  readonly now: () => number;
  readonly totals: Totals;
  readonly upstreams: () => readonly UpstreamStatus[];
  readonly usage: () => Promise<StoreUsage>;
}

export interface Stats extends LayerStats {
  readonly version: string;
  readonly runtime: string;
  readonly core: CoreName;
  /** Reads of layers that are recipes, and how long they waited for their bytes. */
  readonly restores: { readonly count: number; readonly seconds: number };
  readonly fills: { readonly running: number };
  /** Layers that were made before anybody asked: how many, and whether somebody did within a minute or so. */
  readonly prediction: Totals['predicted'];
  readonly uptimeSeconds: number;
  readonly totals: Totals;
  /** Share of answers that took nothing from an upstream but its word; absent before the first. */
  readonly hitRatio?: number;
  readonly store: Omit<StoreUsage, 'layers'>;
  readonly upstreams: readonly UpstreamStatus[];
}

export async function readStats(parts: StatsParts): Promise<Stats> {
  const { answers, restores, restoreSeconds, fillsRunning } = parts.totals;
  const { layers, ...store } = await parts.usage();
  const hits = answers.hit + answers.revalidated + answers.stale;
  const all = hits + answers.miss;
  return {
    version: parts.version,
    runtime: parts.runtime,
    core: parts.core,
    uptimeSeconds: Math.round((parts.now() - parts.startedMs) / 1000),
    totals: parts.totals,
    ...(all === 0 ? {} : { hitRatio: hits / all }),
    ...layers,
    restores: { count: restores, seconds: restoreSeconds },
    fills: { running: fillsRunning },
    prediction: parts.totals.predicted,
    store,
    upstreams: parts.upstreams(),
  };
}
