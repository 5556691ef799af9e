// What the mirror did since it was started, as one JSON value.

import type { UpstreamStatus } from '../upstream/upstream.ts';
import type { Totals } from './metrics.ts';

/** What the store holds. */
export interface StoreUsage {
  readonly blobs: number;
  readonly bytes: number;
  /** Bytes that it may hold at most. */
  readonly quota?: number;
}

export interface StatsParts {
  readonly version: string;
  /** Name and version: `node 20.20.2`. */
  readonly runtime: string;
  readonly startedMs: number;
  readonly now: () => number;
  readonly totals: Totals;
  readonly upstreams: () => readonly UpstreamStatus[];
  readonly usage: () => Promise<StoreUsage>;
}

export interface Stats {
  readonly version: string;
  readonly runtime: string;
  readonly uptimeSeconds: number;
  readonly totals: Totals;
  /** Share of answers that took nothing from an upstream but its word; absent before the first. */
  readonly hitRatio?: number;
  readonly store: StoreUsage;
  readonly upstreams: readonly UpstreamStatus[];
}

export async function readStats(parts: StatsParts): Promise<Stats> {
  const { answers } = parts.totals;
  const hits = answers.hit + answers.revalidated + answers.stale;
  const all = hits + answers.miss;
  return {
    version: parts.version,
    runtime: parts.runtime,
    uptimeSeconds: Math.round((parts.now() - parts.startedMs) / 1000),
    totals: parts.totals,
    ...(all === 0 ? {} : { hitRatio: hits / all }),
    store: await parts.usage(),
    upstreams: parts.upstreams(),
  };
}
