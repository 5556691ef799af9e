// Counts what happens, for Prometheus and for /stats.
// Source of the names: https://prometheus.io/docs/practices/naming/

import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { IngestOutcome } from '../dedup/ingest-layer.ts';
import type { TierObserver } from '../dedup/tier-observer.ts';
import type { EndedRequest } from '../middleware/request-record.ts';
import type { CacheStatus } from '../pull/mirror.ts';
import type { FillOutcome, Observer } from '../pull/observer.ts';
import type { PredictionOutcome, ReplicaObserver } from '../replica/replica-observer.ts';
import type { UpstreamStatus } from '../upstream/upstream.ts';
import { RecentDurations } from './recent-durations.ts';
import type { StoreUsage } from './stats.ts';
import { StoreMetrics } from './store-metrics.ts';
import { addUpstreamMetrics } from './upstream-metrics.ts';

/** Bounds of the durations, seconds: from a cached manifest to a large layer over a slow link. */
const DURATION_BUCKETS = [0.001, 0.005, 0.025, 0.1, 0.5, 1, 5, 30, 120, 600];

/** Bounds of the waits for restored bytes, seconds: from one small range to a large layer on a busy machine. */
const RESTORE_BUCKETS = [0.005, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60];

/** Sums since the start, for /stats. */
export interface Totals {
  requests: number;
  errors: number;
  bytesServed: number;
  bytesFetched: number;
  /** Answers by how they came about. */
  readonly answers: Record<CacheStatus, number>;
  fills: number;
  fillsRunning: number;
  fillsFailed: number;
  fillsResumed: number;
  damaged: number;
  evictedImages: number;
  evictedBytes: number;
  /** Readers of layers that are only recipes, what they got, and how long they waited for it. */
  restores: number;
  restoredBytes: number;
  restoreSeconds: number;
  /** Layers that were looked at, by what came of it. */
  readonly ingested: Record<IngestOutcome['kind'], number>;
  /** Layers that got their whole copy back, and that lost it. */
  promoted: number;
  demoted: number;
  /** Layers that were made ahead, and what became of them. */
  readonly predicted: Record<PredictionOutcome, number>;
}

export class Metrics implements Observer, TierObserver, ReplicaObserver {
  readonly registry: Registry = new Registry();
  readonly totals: Totals = {
    requests: 0,
    errors: 0,
    bytesServed: 0,
    bytesFetched: 0,
    answers: { hit: 0, miss: 0, revalidated: 0, stale: 0 },
    fills: 0,
    fillsRunning: 0,
    fillsFailed: 0,
    fillsResumed: 0,
    damaged: 0,
    evictedImages: 0,
    evictedBytes: 0,
    restores: 0,
    restoredBytes: 0,
    restoreSeconds: 0,
    ingested: { recipe: 0, whole: 0, damaged: 0 },
    promoted: 0,
    demoted: 0,
    predicted: { made: 0, used: 0, wasted: 0 },
  };
  /** How long readers waited lately for layers that are only recipes. */
  readonly restoreDurations: RecentDurations = new RecentDurations();
  readonly #requests = this.#counter('requests_total', 'Requests that were answered', [
    'method',
    'route',
    'status',
    'cache',
  ]);
  readonly #unfinished = this.#counter('bodies_unfinished_total', 'Bodies not sent to their end', [
    'outcome',
  ]);
  readonly #bytesSent = this.#counter('sent_bytes_total', 'Bytes of bodies sent to clients', [
    'route',
  ]);
  readonly #duration: Histogram<string>;
  readonly #answers = this.#counter('answers_total', 'Answers by how they came about', [
    'kind',
    'cache',
  ]);
  readonly #fillsOpen = this.#gauge('fills_open', 'Fetches of blobs that are running', []);
  readonly #fills = this.#counter('fills_total', 'Fetches of blobs that ended', ['outcome']);
  readonly #fillBytes = this.#counter(
    'fetched_bytes_total',
    'Bytes of blobs that were fetched',
    [],
  );
  readonly #resumed = this.#counter('fills_resumed_total', 'Fetches continued after a break', []);
  readonly #damaged = this.#counter('damaged_blobs_total', 'Stored blobs found damaged', []);
  readonly #evictedImages = this.#counter('evicted_images_total', 'Images that had to go', []);
  readonly #evictedBytes = this.#counter('evicted_bytes_total', 'Bytes that had to go', []);
  readonly #ingested = this.#counter('ingested_layers_total', 'Layers that were looked at', [
    'outcome',
  ]);
  readonly #promoted = this.#counter('promoted_layers_total', 'Layers made whole again', []);
  readonly #demoted = this.#counter('demoted_layers_total', 'Whole copies that went', []);
  readonly #predicted = this.#counter('predicted_layers_total', 'Layers made ahead', ['outcome']);
  readonly #restoredBytes = this.#counter('restored_bytes_total', 'Bytes made from recipes', []);
  readonly #restoreDuration: Histogram<string>;
  readonly #store: StoreMetrics;

  /** `upstreams` gives the present state whenever the metrics are read. */
  constructor(upstreams: () => readonly UpstreamStatus[]) {
    const registers = [this.registry];
    this.#duration = new Histogram({
      name: 'mica_request_duration_seconds',
      help: 'Time from a request to the end of its body',
      labelNames: ['route'],
      buckets: DURATION_BUCKETS,
      registers,
    });
    this.#restoreDuration = new Histogram({
      name: 'mica_restore_duration_seconds',
      help: 'Time that a reader of a layer that is a recipe waited for its bytes',
      buckets: RESTORE_BUCKETS,
      registers,
    });
    this.#store = new StoreMetrics(this.registry);
    addUpstreamMetrics(this.registry, upstreams);
    collectDefaultMetrics({ register: this.registry, prefix: 'mica_' });
  }

  /** What the store holds, as it was last counted. */
  storeCounted(usage: StoreUsage): void {
    this.#store.set(usage);
  }

  /** Counts a request at the end of its body. */
  requestEnded(ended: EndedRequest): void {
    const { method, route, status, cache = 'none', bytes, outcome } = ended;
    this.totals.requests += 1;
    this.totals.bytesServed += bytes;
    if (status >= 500) this.totals.errors += 1;
    this.#requests.inc({ method: knownMethod(method), route, status, cache });
    this.#bytesSent.inc({ route }, bytes);
    this.#duration.observe({ route }, ended.durationMs / 1000);
    if (outcome !== 'complete') this.#unfinished.inc({ outcome });
  }

  answered(kind: 'manifest' | 'blob' | 'tags' | 'referrers', cache: CacheStatus): void {
    this.totals.answers[cache] += 1;
    this.#answers.inc({ kind, cache });
  }

  fillStarted(): void {
    this.totals.fillsRunning += 1;
    this.#fillsOpen.inc();
  }

  fillResumed(): void {
    this.totals.fillsResumed += 1;
    this.#resumed.inc();
  }

  fillEnded(outcome: FillOutcome, bytes: number, _durationMs: number): void {
    this.totals.fills += 1;
    this.totals.fillsRunning -= 1;
    this.totals.bytesFetched += bytes;
    if (outcome === 'failed') this.totals.fillsFailed += 1;
    this.#fillsOpen.dec();
    this.#fills.inc({ outcome });
    this.#fillBytes.inc(bytes);
  }

  damaged(): void {
    this.totals.damaged += 1;
    this.#damaged.inc();
  }

  evicted(images: number, bytes: number): void {
    this.totals.evictedImages += images;
    this.totals.evictedBytes += bytes;
    this.#evictedImages.inc(images);
    this.#evictedBytes.inc(bytes);
  }

  ingested(outcome: IngestOutcome['kind']): void {
    this.totals.ingested[outcome] += 1;
    this.#ingested.inc({ outcome });
  }

  restored(bytes: number, durationMs: number): void {
    this.totals.restores += 1;
    this.totals.restoredBytes += bytes;
    this.totals.restoreSeconds += durationMs / 1000;
    this.restoreDurations.add(durationMs / 1000);
    this.#restoredBytes.inc(bytes);
    this.#restoreDuration.observe(durationMs / 1000);
  }

  promoted(): void {
    this.totals.promoted += 1;
    this.#promoted.inc();
  }

  demoted(layers: number): void {
    this.totals.demoted += layers;
    this.#demoted.inc(layers);
  }

  predicted(outcome: PredictionOutcome): void {
    this.totals.predicted[outcome] += 1;
    this.#predicted.inc({ outcome });
  }

  #gauge(name: string, help: string, labelNames: readonly string[]): Gauge<string> {
    return new Gauge({
      name: `mica_${name}`,
      help,
      labelNames: [...labelNames],
      registers: [this.registry],
    });
  }

  #counter(name: string, help: string, labelNames: readonly string[]): Counter<string> {
    return new Counter({
      name: `mica_${name}`,
      help,
      labelNames: [...labelNames],
      registers: [this.registry],
    });
  }
}

/** A label of what a client sent must not have as many values as clients think of. */
function knownMethod(method: string): string {
  return ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'].includes(method) ? method : 'other';
}
