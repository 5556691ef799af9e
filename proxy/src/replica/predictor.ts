// After a manifest, makes the layers that this client will ask for and that are only recipes: small ones in
// memory, others as whole copies, and of those that take too long the beginning.
//
// It works only while no client waits, on what can be ready in time; and where it worked for nothing it does
// less. What it makes is read through the store like everything else, by those who may see it.

import type { Config } from '../config/config.ts';
import type { FileIndex } from '../dedup/file-index.ts';
import type { Log } from '../log.ts';
import type { Digest } from '../oci/digest.ts';
import { isLayerMediaType } from '../oci/media-type.ts';
import type { Clock } from '../runtime/runtime.ts';
import type { BlobStore } from '../store/blob-store.ts';
import type { Index } from '../store/index.ts';
import { AheadQueue } from './ahead-queue.ts';
import { Allowance } from './allowance.ts';
import { chooseAhead, type LayerAhead } from './choose-ahead.ts';
import { Gaps } from './gaps.ts';
import type { Histories } from './histories.ts';
import { MadeAhead, type MadeLayer } from './made-ahead.ts';
import { MAX_MEMORY, type MemoryLayers } from './memory-layers.ts';
import { OpenPulls } from './open-pulls.ts';
import type { PromotionOutcome } from './promote.ts';
import { PulledLayers } from './pulled-layers.ts';
import type { ReplicaObserver } from './replica-observer.ts';
import type { WholeCopies } from './whole-copies.ts';

/** Share of the budget for whole copies that may be of layers nobody has asked for yet. */
const DISK_SHARE = 0.25;

/** Layers of one image that are looked at: a manifest may name more than any engine can mount. */
const MAX_LAYERS = 500;

/** How often it is looked for what was made for nothing, ms. */
const SWEEP_MS = 10_000;

/** Calls `pause` between pieces. */
type Pause = (signal: AbortSignal) => Promise<void>;

export interface PredictorOptions {
  readonly config: Pick<Config, 'dedup'>;
  readonly histories: Pick<Histories, 'pulled' | 'gaps' | 'uses'>;
  readonly index: Pick<Index, 'getManifest'>;
  readonly files: Pick<FileIndex, 'getLayer'>;
  readonly whole: Pick<BlobStore, 'stat'>;
  readonly copies: Pick<WholeCopies, 'budget' | 'stored' | 'fit'>;
  readonly memory: MemoryLayers;
  readonly clock: Clock;
  readonly log: Log;
  readonly observer: Pick<ReplicaObserver, 'predicted'>;
  /** Whether clients wait for bytes at this moment. */
  isBusy(): boolean;
  /** Makes a layer whole. */
  promote(digest: Digest, pause: Pause, signal: AbortSignal): Promise<PromotionOutcome>;
  /** Makes the beginning of a layer and keeps it a while. */
  begin(digest: Digest, pause: Pause, signal: AbortSignal): Promise<boolean>;
  /** The layer's checked bytes; undefined when it cannot be made. */
  makeInMemory(
    layer: Pick<MadeLayer, 'digest' | 'size'>,
    pause: Pause,
    signal: AbortSignal,
  ): Promise<Uint8Array | undefined>;
}

export class Predictor {
  readonly #options: PredictorOptions;
  readonly #pulls = new OpenPulls();
  readonly #pulled: PulledLayers;
  readonly #gaps: Gaps;
  readonly #allowance: Allowance;
  readonly #made: MadeAhead;
  readonly #queue: AheadQueue;
  readonly #ended = new AbortController();
  #sweeping: Promise<void> | undefined;

  constructor(options: PredictorOptions) {
    const { histories, clock } = options;
    this.#options = options;
    this.#pulled = new PulledLayers({ table: histories.pulled, clock });
    this.#gaps = new Gaps({ table: histories.gaps, clock });
    this.#allowance = new Allowance({ table: histories.uses, clock });
    this.#made = new MadeAhead({
      ...{ allowance: this.#allowance, observer: options.observer, clock },
      onWasted: ({ digest, place }) => {
        if (place === 'memory') options.memory.delete(digest);
      },
    });
    this.#queue = new AheadQueue({
      ...options,
      make: (layer, signal) => this.#make(layer, signal),
      onMade: (layer) => this.#noteMade(layer),
    });
  }

  /** Whether a whole copy was made ahead and is still waited for. */
  isAwaited(digest: Digest): boolean {
    return this.#made.has(digest) || this.#queue.has(digest);
  }

  /** A client gets a manifest. `repository` is the index's key. */
  async manifestPulled(repository: string, manifest: Digest, client: string): Promise<void> {
    const { index, clock } = this.#options;
    const startMs = clock.now();
    const named = (await index.getManifest(manifest))?.blobs ?? [];
    const layers = named.filter(({ mediaType }) => isLayerMediaType(mediaType));
    const digests = layers.slice(0, MAX_LAYERS).map(({ digest }) => digest);
    if (digests.length === 0) return;
    this.#pulls.begin(repository, client, digests, startMs);
    const limit = this.#isWanted() ? this.#allowance.layersFor(repository, client) : 0;
    if (limit === 0) return;
    const ahead = await this.#findAhead(repository, client, digests);
    if (ahead.length === 0) return;
    for (const { digest, size, place, gapMs } of chooseAhead(ahead, await this.#limits(limit)))
      this.#queue.add({ digest, size, place, repository, client, dueMs: startMs + gapMs });
  }

  /** A client asks for a blob. */
  blobPulled(repository: string, digest: Digest, client: string): void {
    const asked = this.#pulls.ask(repository, client, digest, this.#options.clock.now());
    if (asked !== undefined) this.#gaps.note(repository, asked.position, asked.gapMs);
    this.#pulled.note(client, digest);
    this.#queue.cancel(digest);
    this.#made.ask(digest);
  }

  async close(): Promise<void> {
    this.#ended.abort();
    await this.#queue.close();
    await this.#sweeping;
  }

  #isWanted(): boolean {
    const { predict, mode } = this.#options.config.dedup;
    return predict && mode !== 'off' && !this.#ended.signal.aborted;
  }

  /** The layers that are only recipes and that the client has not pulled. */
  async #findAhead(
    repository: string,
    client: string,
    digests: readonly Digest[],
  ): Promise<LayerAhead[]> {
    const { files, whole, memory } = this.#options;
    const found: LayerAhead[] = [];
    for (const [position, digest] of digests.entries()) {
      if (this.#pulled.has(client, digest) || memory.has(digest) || this.isAwaited(digest))
        continue;
      const record = await files.getLayer(digest);
      if (record?.kind !== 'recipe' || (await whole.stat(digest)) !== undefined) continue;
      const { size, restoreSeconds } = record;
      const gapMs = this.#gaps.expectedMs(repository, position);
      found.push({ digest, size, gapMs, restoreMs: restoreSeconds * 1000 });
    }
    return found;
  }

  async #limits(layers: number) {
    const { config, copies } = this.#options;
    const taken = (place: MadeLayer['place']) =>
      this.#made.sizeIn(place) + this.#queue.sizeIn(place);
    const hasDisk = config.dedup.mode === 's';
    const disk = hasDisk ? (await copies.budget()) * DISK_SHARE - taken('disk') : 0;
    return { layers, memory: MAX_MEMORY - taken('memory'), disk };
  }

  async #make(layer: MadeLayer, signal: AbortSignal): Promise<boolean> {
    const { digest, size, place } = layer;
    const { promote, begin, makeInMemory, memory, files, copies } = this.#options;
    const pause: Pause = (until) => this.#queue.pause(until);
    if (place === 'begun') return await begin(digest, pause, signal);
    if (place === 'disk') {
      if ((await promote(digest, pause, signal)) !== 'made') return false;
      await copies.stored(size);
      return true;
    }
    const bytes = await makeInMemory(layer, pause, signal);
    // It may have been taken out of the store meanwhile.
    if (bytes === undefined || (await files.getLayer(digest)) === undefined) return false;
    signal.throwIfAborted();
    memory.set(digest, bytes);
    return true;
  }

  #noteMade(layer: MadeLayer): void {
    this.#made.add(layer);
    this.#sweeping ??= this.#sweep().finally(() => {
      this.#sweeping = undefined;
    });
  }

  /** Looks for what was made for nothing, as long as anything is waited for. */
  async #sweep(): Promise<void> {
    const { clock, memory, copies, log } = this.#options;
    const { signal } = this.#ended;
    while (this.#made.size > 0 && !signal.aborted) {
      // The only rejection of sleep() is the abort, which ends the loop.
      await clock.sleep(SWEEP_MS, signal).catch(() => undefined);
      this.#made.sweep();
      memory.sweep();
      // A copy that nobody came for stays only if it is worth its place.
      await copies.fit().catch((error: unknown) => {
        log.warn({ err: error }, 'whole copies could not be trimmed');
      });
    }
  }
}
