import test from 'ava';
import { createAdminApp } from '../../src/admin/admin-app.ts';
import { Metrics } from '../../src/admin/metrics.ts';
import type { LayerStats } from '../../src/dedup/layer-stats.ts';
import type { UpstreamStatus } from '../../src/upstream/upstream.ts';
import { silentLog } from '../doubles/test-app.ts';

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
};

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
      upstreams: () => [upstream],
      usage: () => Promise.resolve({ blobs: 2, bytes: 30, quota: 100, layers: LAYERS }),
    },
    checks: { store: () => Promise.resolve(), index },
    log: silentLog,
  });
  return { app, metrics };
}

test('/healthz answers and / is a page', async (t) => {
  const { app } = adminApp();
  t.is((await app.request('/healthz')).status, 200);
  const page = await app.request('/');
  t.regex(page.headers.get('content-type') ?? '', /^text\/html/);
  t.regex(page.headers.get('content-security-policy') ?? '', /default-src 'none'/);
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
  t.like(stats, { version: '1.2.3', uptimeSeconds: 60, hitRatio: 0.75, store: { bytes: 30 } });
  t.like(stats, { totals: { bytesServed: 500, bytesFetched: 1000, evictedImages: 2 } });
  t.like(stats, { ...LAYERS, core: 'native', fills: { running: 1 } });
  t.like(stats, { restores: { count: 1, seconds: 0.25 } });
  t.like(stats, { prediction: { made: 2, used: 1, wasted: 1 } });
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
    'mica_restores_total 1',
    'mica_restored_bytes_total 5000',
    'mica_restore_seconds_total 0.25',
    'mica_promoted_layers_total 1',
    'mica_demoted_layers_total 3',
    'mica_predicted_layers_total{outcome="made"} 2',
    'mica_layers{state="recipe"} 1',
    'mica_layers{state="pending"} 1',
    'mica_store_bytes{kind="stored"} 100',
    'mica_files{kind="duplicate"} 4',
    'mica_fetched_bytes_total 1000',
    'mica_damaged_blobs_total 1',
    'mica_evicted_bytes_total 300',
    'mica_upstream_circuit_state{upstream="docker.io"} 2',
    'mica_upstream_rate_limit_remaining{upstream="docker.io"} 7',
  ]) {
    t.true(text.includes(line), line);
  }
  t.regex(text, /^mica_process_resident_memory_bytes \d+/m);
});
