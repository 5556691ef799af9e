// The admin API over the parts of a running mirror, and what it keeps for itself: recent pulls, and the
// history of savings.

import type { Hono } from 'hono';
import type { Config } from '../config/config.ts';
import type { Tier } from '../dedup/open-tier.ts';
import type { TierWork } from '../dedup/tier-work.ts';
import type { Log } from '../log.ts';
import type { EndedRequest } from '../middleware/request-record.ts';
import type { OpenedMirror } from '../pull/open-mirror.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { DataFolder } from '../store/data-folder.ts';
import type { StoreSpace } from '../store/store-space.ts';
import type { Upstream } from '../upstream/upstream.ts';
import { VERSION } from '../version.ts';
import { createAdminApp } from './admin-app.ts';
import { cachedCount } from './cached-count.ts';
import { readImageUses } from './images.ts';
import type { Metrics } from './metrics.ts';
import { pageFiles } from './page-files.ts';
import { RecentPulls } from './recent-pulls.ts';
import { sampleSavings } from './sample-savings.ts';
import { openSavingsHistory } from './savings-history.ts';
import type { StatsParts } from './stats.ts';
import { usageReader } from './usage-reader.ts';

/** How long the lists of images are shown at least, ms: they are for people. */
const IMAGES_AGE_MS = 10_000;

export interface AdminOptions {
  readonly config: Config;
  readonly runtime: Runtime;
  readonly log: Log;
  readonly folder: DataFolder;
  readonly tier: Tier;
  readonly work: Pick<TierWork, 'progress'>;
  readonly upstreams: ReadonlyMap<string, Upstream>;
  readonly metrics: Metrics;
  readonly mirror: Pick<OpenedMirror, 'fills'>;
  readonly space: StoreSpace;
  /** When all that is stored is counted first, ms. */
  readonly firstMs?: number;
}

export interface Admin {
  readonly app: Hono;
  /** Counts a request to the registry API at the end of its body. */
  requestEnded(ended: EndedRequest): void;
  close(): Promise<void>;
}

export function openAdmin(options: AdminOptions): Admin {
  const { config, runtime, log, folder, tier, metrics, firstMs } = options;
  const { files, clock } = runtime;
  const { index, environment } = folder;
  const { store } = tier;
  const pulls = new RecentPulls(clock);
  const history = openSavingsHistory(environment);
  const stats = statsParts(options);
  const app = createAdminApp({
    metrics,
    stats,
    images: cachedCount({
      ...{ clock, ageMs: IMAGES_AGE_MS },
      read: () => readImageUses({ store, index, pulls }),
    }),
    savings: () => history.samples(),
    page: pageFiles(files),
    checks: {
      store: () => files.list(`${config.data}/blobs`),
      index: () => index.getGrant('', ''),
    },
    log,
  });
  return {
    app,
    requestEnded: (ended) => {
      metrics.requestEnded(ended);
      pulls.requestEnded(ended);
    },
    close: sampleSavings({ history, usage: stats.usage, clock, log, firstMs }),
  };
}

function statsParts(options: AdminOptions): StatsParts {
  const { runtime, folder, tier, work, upstreams, metrics, mirror, space } = options;
  const { clock } = runtime;
  return {
    version: VERSION,
    runtime: runtime.name,
    core: tier.core?.restore.flavour ?? 'none',
    startedMs: clock.now(),
    now: () => clock.now(),
    totals: metrics.totals,
    restoreDurations: () => metrics.restoreDurations.summary(),
    upstreams: () => [...upstreams.values()].map((upstream) => upstream.status()),
    usage: usageReader({ folder, store: tier.store, space, runtime }),
    fills: () => mirror.fills(),
    ingest: () => work.progress,
    repositoryOf: (digest) => folder.index.findRepository(digest),
  };
}
