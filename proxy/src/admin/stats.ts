// What the mirror did since it was started and what it keeps, as one JSON value.

import type { IngestProgress } from '../dedup/ingest-job.ts';
import type { LayerStats } from '../dedup/layer-stats.ts';
import type { Digest } from '../oci/digest.ts';
import type { RunningFill } from '../pull/fill.ts';
import type { UpstreamStatus } from '../upstream/upstream.ts';
import type { Totals } from './metrics.ts';
import type { DurationSummary } from './recent-durations.ts';

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
  readonly restoreDurations: () => DurationSummary | undefined;
  readonly upstreams: () => readonly UpstreamStatus[];
  readonly usage: () => Promise<StoreUsage>;
  /** Fills that run now. */
  readonly fills: () => readonly RunningFill[];
  /** The layer that is taken apart now. */
  readonly ingest: () => IngestProgress | undefined;
  /** A repository that has the content, as `docker.io/library/debian`. */
  readonly repositoryOf: (digest: Digest) => Promise<string | undefined>;
}

/** Sizes are bytes. */
export interface Stats extends LayerStats {
  readonly version: string;
  readonly runtime: string;
  readonly core: CoreName;
  /** Reads of layers that are recipes, and how long they waited for their bytes. */
  readonly restores: {
    readonly count: number;
    readonly seconds: number;
    readonly bytes: number;
    /** Of the last ones; absent before the first. */
    readonly recent?: DurationSummary;
  };
  readonly fills: {
    readonly running: number;
    /** The longest running ones, MAX_FILLS_SHOWN at most. */
    readonly blobs: readonly RunningFill[];
  };
  /** Layers that are being taken apart. */
  readonly ingests: readonly RunningIngest[];
  /** Layers that were made before anybody asked: how many, and whether somebody did within a minute or so. */
  readonly prediction: Totals['predicted'];
  /** When this was told, by the server's clock, as all moments are. */
  readonly nowMs: number;
  readonly uptimeSeconds: number;
  readonly totals: Totals;
  /** Share of answers that took nothing from an upstream but its word; absent before the first. */
  readonly hitRatio?: number;
  readonly store: Omit<StoreUsage, 'layers'>;
  readonly upstreams: readonly UpstreamStatus[];
}

export interface RunningIngest extends IngestProgress {
  readonly repository?: string;
}

/** More fills than this are a number only: who reads them sees one screen. */
const MAX_FILLS_SHOWN = 20;

export async function readStats(parts: StatsParts): Promise<Stats> {
  const { answers, restores, restoreSeconds, restoredBytes, fillsRunning } = parts.totals;
  const { layers, ...store } = await parts.usage();
  const hits = answers.hit + answers.revalidated + answers.stale;
  const all = hits + answers.miss;
  const recent = parts.restoreDurations();
  const nowMs = parts.now();
  return {
    version: parts.version,
    runtime: parts.runtime,
    core: parts.core,
    nowMs,
    uptimeSeconds: Math.round((nowMs - parts.startedMs) / 1000),
    totals: parts.totals,
    ...(all === 0 ? {} : { hitRatio: hits / all }),
    ...layers,
    restores: {
      ...{ count: restores, seconds: restoreSeconds, bytes: restoredBytes },
      ...(recent === undefined ? {} : { recent }),
    },
    fills: { running: fillsRunning, blobs: parts.fills().slice(0, MAX_FILLS_SHOWN) },
    ingests: await readIngests(parts),
    prediction: parts.totals.predicted,
    store,
    upstreams: parts.upstreams(),
  };
}

async function readIngests({ ingest, repositoryOf }: StatsParts): Promise<RunningIngest[]> {
  const progress = ingest();
  if (progress === undefined) return [];
  const repository = await repositoryOf(progress.digest);
  return [{ ...progress, ...(repository === undefined ? {} : { repository }) }];
}
