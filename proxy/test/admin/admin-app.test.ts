import test from 'ava';
import { createAdminApp } from '../../src/admin/admin-app.ts';
import type { ImageUses } from '../../src/admin/images.ts';
import { Metrics } from '../../src/admin/metrics.ts';
import { pageFiles } from '../../src/admin/page-files.ts';
import type { SavingsSample } from '../../src/admin/savings-history.ts';
import type { Stats } from '../../src/admin/stats.ts';
import type { IngestProgress } from '../../src/dedup/ingest-job.ts';
import type { LayerStats } from '../../src/dedup/layer-stats.ts';
import { parseDigest } from '../../src/oci/digest.ts';
import type { RunningFill } from '../../src/pull/fill.ts';
import type { UpstreamStatus } from '../../src/upstream/upstream.ts';
import { silentLog } from '../doubles/test-app.ts';
import { makeTestRuntime } from '../doubles/test-runtime.ts';

const upstream: UpstreamStatus = {
  name: 'docker.io',
  circuit: 'open',
  requests: 3,
  failures: 1,
  bytesReceived: 10,
  rateLimit: { limit: 100, remaining: 7 },
};

const LAYERS: LayerStats = {
  layers: {
    total: 3,
    whole: 2,
    recipeOnly: 1,
    pending: 1,
    notExact: 1,
    reasons: { LAYER_ENCODING: 1 },
  },
  bytes: { tar: 900, compressed: 300, stored: 100, recipes: 5, packs: 60 },
  files: { unique: 7, duplicate: 4 },
  hot: { layers: 1, bytes: 40 },
};

const DIGEST = parseDigest(`sha256:${'a'.repeat(64)}`);

const FILL: RunningFill = { digest: DIGEST, repository: 'up/app', size: 9, bytes: 3, startedMs: 1 };

const INGEST: IngestProgress = {
  digest: DIGEST,
  size: 10,
  step: 'proof',
  bytes: 5,
  startedMs: 60_000,
};

const IMAGES: ImageUses = { count: 0, biggest: [], hottest: [] };

const SAVINGS: readonly SavingsSample[] = [{ atMs: 1, tar: 9, compressed: 3, stored: 1 }];

function adminApp(index: () => Promise<unknown> = () => Promise.resolve()) {
  const metrics = new Metrics(() => [upstream]);
  const app = createAdminApp({
    metrics,
    stats: {
      version: '1.2.3',
      runtime: 'node 1',
      core: 'native',
      startedMs: 1000,
      now: () => 61_000,
      totals: metrics.totals,
      restoreDurations: () => metrics.restoreDurations.summary(),
      upstreams: () => [upstream],
      usage: () => Promise.resolve({ blobs: 2, bytes: 30, quota: 100, layers: LAYERS }),
      fills: () => Array.from({ length: 30 }, () => FILL),
      ingest: () => INGEST,
      repositoryOf: () => Promise.resolve('up/app'),
    },
    images: () => Promise.resolve(IMAGES),
    savings: () => SAVINGS,
    page: pageFiles(makeTestRuntime().files),
    checks: { store: () => Promise.resolve(), index },
    log: silentLog,
  });
  return { app, metrics };
}

test('/healthz answers', async (t) => {
  t.is((await adminApp().app.request('/healthz')).status, 200);
});

test('/ is a page, and all that it names is there', async (t) => {
  const { app } = adminApp();
  const page = await app.request('/');
  t.regex(page.headers.get('content-type') ?? '', /^text\/html/);
  const policy = page.headers.get('content-security-policy') ?? '';
  t.regex(policy, /default-src 'none'/);
  t.false(policy.includes('unsafe'));
  const queue = [...(await page.text()).matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(
    ([, path]) => path,
  );
  const seen = new Set(queue);
  for (const path of seen) {
    const answer = await app.request(path ?? '');
    t.is(answer.status, 200, path);
    const imports = (await answer.text()).matchAll(/from '\.\/([^']+)'/g);
    if (path?.endsWith('.js')) for (const [, name] of imports) seen.add(`/page/${name}`);
  }
  t.true(seen.has('/page/savings-chart.js'));
});

test('/stats/images and /stats/savings give what is known', async (t) => {
  const { app } = adminApp();
  t.deepEqual(await (await app.request('/stats/images')).json(), IMAGES);
  t.deepEqual(await (await app.request('/stats/savings')).json(), SAVINGS);
});

test('/readyz says which part cannot be used', async (t) => {
  t.is((await adminApp().app.request('/readyz')).status, 200);
  const { app } = adminApp(() => Promise.reject(new Error('broken')));
  const response = await app.request('/readyz');
  t.is(response.status, 503);
  t.deepEqual(await response.json(), { isReady: false, parts: { store: 'ok', index: 'broken' } });
});

test('/stats and /metrics tell what was observed', async (t) => {
  const { app, metrics } = adminApp();
  metrics.requestEnded({
    requestId: '1',
    client: '',
    method: 'BREW',
    path: '/',
    route: 'blob',
    status: 200,
    bytes: 500,
    durationMs: 1500,
    outcome: 'aborted',
    cache: 'hit',
  });
  for (const cache of ['hit', 'hit', 'stale', 'miss'] as const) metrics.answered('blob', cache);
  metrics.fillStarted();
  metrics.fillResumed();
  metrics.fillEnded('stored', 1000, 5);
  metrics.fillStarted();
  metrics.ingested('recipe');
  metrics.restored(5000, 250);
  metrics.damaged();
  metrics.evicted(2, 300);
  metrics.promoted();
  metrics.demoted(3);
  for (const outcome of ['made', 'made', 'used', 'wasted'] as const) metrics.predicted(outcome);
  const stats = (await (await app.request('/stats')).json()) as object;
  t.like(stats, {
    version: '1.2.3',
    nowMs: 61_000,
    uptimeSeconds: 60,
    hitRatio: 0.75,
    store: { bytes: 30 },
  });
  t.like(stats, { totals: { bytesServed: 500, bytesFetched: 1000, evictedImages: 2 } });
  t.like(stats, { ...LAYERS, core: 'native', fills: { running: 1 } });
  t.like(stats, {
    restores: {
      ...{ count: 1, seconds: 0.25, bytes: 5000 },
      recent: { count: 1, medianSeconds: 0.25, p95Seconds: 0.25, maxSeconds: 0.25 },
    },
    ingests: [{ ...INGEST, repository: 'up/app' }],
    prediction: { made: 2, used: 1, wasted: 1 },
  });
  t.is((stats as Stats).fills.blobs.length, 20);
  await app.request('/metrics');
  const text = await (await app.request('/metrics')).text();
  for (const line of [
    'mica_requests_total{method="other",route="blob",status="200",cache="hit"} 1',
    'mica_sent_bytes_total{route="blob"} 500',
    'mica_request_duration_seconds_bucket{le="5",route="blob"} 1',
    'mica_bodies_unfinished_total{outcome="aborted"} 1',
    'mica_answers_total{kind="blob",cache="hit"} 2',
    'mica_fills_total{outcome="stored"} 1',
    'mica_fills_open 1',
    'mica_ingested_layers_total{outcome="recipe"} 1',
    'mica_restore_duration_seconds_bucket{le="0.25"} 1',
    'mica_restore_duration_seconds_count 1',
    'mica_restore_duration_seconds_sum 0.25',
    'mica_restored_bytes_total 5000',
    'mica_promoted_layers_total 1',
    'mica_demoted_layers_total 3',
    'mica_predicted_layers_total{outcome="made"} 2',
    'mica_layers{state="recipe"} 1',
    'mica_layers{state="pending"} 1',
    'mica_store_bytes{kind="stored"} 100',
    'mica_files{kind="duplicate"} 4',
    'mica_whole_layers{reason="LAYER_ENCODING"} 1',
    'mica_hot_layers 1',
    'mica_hot_bytes 40',
    'mica_quota_bytes 100',
    'mica_fetched_bytes_total 1000',
    'mica_damaged_blobs_total 1',
    'mica_evicted_bytes_total 300',
    'mica_upstream_requests_total{upstream="docker.io"} 3',
    'mica_upstream_circuit_state{upstream="docker.io"} 2',
    'mica_upstream_rate_limit_remaining{upstream="docker.io"} 7',
  ]) {
    t.true(text.includes(line), line);
  }
  t.regex(text, /^mica_process_resident_memory_bytes \d+/m);
});
