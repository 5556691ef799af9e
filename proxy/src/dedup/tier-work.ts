// What the registry tier does by itself while the mirror serves: takes layers apart as they come, and
// decides which stay whole too.

import type { Config } from '../config/config.ts';
import type { Log } from '../log.ts';
import type { Digest } from '../oci/digest.ts';
import type { Descriptor } from '../oci/manifest.ts';
import { type Repository, repositoryKey } from '../oci/reference.ts';
import type { ReplicaObserver } from '../replica/replica-observer.ts';
import { Replicas } from '../replica/replicas.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { BlobPaths } from '../store/blob-paths.ts';
import type { DataFolder } from '../store/data-folder.ts';
import type { Space } from '../store/space.ts';
import { queueLayer, queueLayers } from './collect-layers.ts';
import { IngestJob, type IngestProgress } from './ingest-job.ts';
import { IngestQueue } from './ingest-queue.ts';
import { LayerNames } from './layer-names.ts';
import type { Tier } from './open-tier.ts';
import type { RunCopy } from './run-copy.ts';
import type { TierObserver } from './tier-observer.ts';
import type { MemoryCopies } from './tiered-blob-store.ts';

/** Whose packs a server appends to: one server at a time has the data folder. */
const PACK_OWNER = 'serve';

export interface TierWorkOptions {
  readonly config: Pick<Config, 'dedup' | 'data' | 'quota'>;
  readonly folder: DataFolder;
  readonly runtime: Runtime;
  readonly log: Log;
  readonly observer: TierObserver & ReplicaObserver;
}

export interface StartOptions {
  readonly tier: Tier;
  readonly space: Space;
  /** Whether the mirror has work that should not wait for an ingest. */
  isBusy(): boolean;
  /** Whether clients wait for bytes at this moment. */
  isWaiting(): boolean;
}

export class TierWork {
  readonly #options: TierWorkOptions;
  readonly #names = new LayerNames();
  readonly #replicas: Replicas;
  #queue: IngestQueue | undefined;
  #job: IngestJob | undefined;

  constructor(options: TierWorkOptions) {
    this.#options = options;
    this.#replicas = new Replicas(options);
  }

  isIngesting(digest: Digest): boolean {
    return this.#queue?.current === digest;
  }

  /** Of the layer that is being taken apart. */
  get progress(): IngestProgress | undefined {
    return this.#job?.progress;
  }

  /** A manifest was stored: what it names as layers are some, also those that came before it. */
  learn(blobs: readonly Descriptor[]): void {
    const unknown = blobs.filter(({ digest }) => !this.#names.has(digest));
    this.#names.learn(unknown);
    for (const { digest } of unknown) {
      if (this.#names.has(digest)) this.#orLater(digest, this.#takeInStored(digest));
    }
  }

  /** A blob was stored whole. */
  stored(digest: Digest, size: number): void {
    this.#orLater(digest, this.#takeIn(digest, size));
  }

  /** What is made of a layer for clients, as a whole copy too; undefined where none is wanted. */
  copyRun(digest: Digest): RunCopy | undefined {
    return this.#replicas.copyRun(digest);
  }

  /** Small layers that were made ahead. */
  get memory(): MemoryCopies {
    return this.#replicas.memory;
  }

  /** A client gets a manifest that it may have. A pull never fails for want of a guess. */
  manifestPulled(repository: Repository, digest: Digest, client: string): void {
    const key = repositoryKey(repository);
    this.#replicas.manifestPulled(key, digest, client).catch((error: unknown) => {
      this.#options.log.warn({ err: error, digest }, 'what comes next could not be guessed');
    });
  }

  /** A client asks for a blob that it may have. */
  blobPulled(repository: Repository, digest: Digest, client: string): void {
    try {
      this.#replicas.blobPulled(repositoryKey(repository), digest, client);
    } catch (error) {
      this.#options.log.warn({ err: error, digest }, 'a pull could not be noted');
    }
  }

  /** Begins to take layers apart, unless the mode or a missing core says no. */
  start({ tier, space, isBusy, isWaiting }: StartOptions): void {
    this.#replicas.start({ tier, space, isBusy, isWaiting });
    const { config, folder, runtime, log, observer } = this.#options;
    const { core, packs, recipes } = tier;
    if (config.dedup.mode === 'off' || core === undefined) return;
    const paths = new BlobPaths(config.data);
    const job = new IngestJob({
      parts: { core: core.ingest, index: folder.files, packs, recipes, clock: runtime.clock },
      ...{ whole: folder.blobs, space, observer, log, packOwner: PACK_OWNER },
      wholePath: (digest) => paths.blob(digest),
      onIngested: (digest, size) => this.#replicas.copies.ingested(digest, size),
    });
    this.#job = job;
    this.#queue = new IngestQueue({
      ...{ index: folder.files, clock: runtime.clock, log, isBusy },
      owner: crypto.randomUUID(),
      ingest: (digest, signal) => job.run(digest, signal),
    });
    this.#queue.start();
  }

  /** Looks at all that is stored: what was never looked at, and what the mode keeps in another way. */
  async collect(): Promise<void> {
    const { folder, log, config } = this.#options;
    await this.#names.readAll(folder.index);
    await this.#replicas.collect();
    if (this.#queue === undefined) return;
    const queued = await queueLayers(this.#queueOptions());
    if (queued > 0) {
      log.info({ layers: queued, mode: config.dedup.mode }, 'layers wait to be taken apart');
      this.#queue.wake();
    }
    await this.#replicas.copies.trim();
  }

  async close(): Promise<void> {
    await this.#queue?.close();
    await this.#replicas.close();
  }

  #orLater(digest: Digest, queued: Promise<void>): void {
    queued.catch((error: unknown) => {
      // The next collection looks at all that is stored.
      this.#options.log.warn({ err: error, digest }, 'a layer could not be queued');
    });
  }

  async #takeInStored(digest: Digest): Promise<void> {
    if (this.#queue === undefined) return;
    const size = await this.#options.folder.blobs.stat(digest);
    if (size === undefined) return;
    if (await queueLayer(this.#queueOptions(), digest, size)) this.#queue.wake();
  }

  async #takeIn(digest: Digest, size: number): Promise<void> {
    if (this.#queue === undefined) return;
    const record = await this.#options.folder.files.getLayer(digest);
    if (record?.kind === 'recipe') await this.#replicas.copies.stored(size);
    else if (await queueLayer(this.#queueOptions(), digest, size)) this.#queue.wake();
  }

  #queueOptions() {
    const { config, folder, runtime } = this.#options;
    const { minLayer } = config.dedup;
    const { blobs: whole, files: index } = folder;
    return { whole, index, names: this.#names, clock: runtime.clock, minLayer };
  }
}
