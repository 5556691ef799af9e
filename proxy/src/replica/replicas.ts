// The registry tier's whole copies while the mirror serves: what clients pull, and the work that follows.

import type { Config } from '../config/config.ts';
import type { Tier } from '../dedup/open-tier.ts';
import { Restorations } from '../dedup/restorations.ts';
import type { RunCopy } from '../dedup/run-copy.ts';
import type { Log } from '../log.ts';
import type { Digest } from '../oci/digest.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { DataFolder } from '../store/data-folder.ts';
import type { Space } from '../store/space.ts';
import { beginAhead } from './begin-ahead.ts';
import { type Histories, openHistories } from './histories.ts';
import { makePieces } from './layer-pieces.ts';
import { makeInMemory } from './make-in-memory.ts';
import { MemoryLayers } from './memory-layers.ts';
import { Popularity } from './popularity.ts';
import { Predictor } from './predictor.ts';
import { promoteLayer } from './promote.ts';
import { untilQuiet } from './quiet.ts';
import { RecentRequests } from './recent-requests.ts';
import type { ReplicaObserver } from './replica-observer.ts';
import { ReplicaWork } from './replica-work.ts';
import { RunCopies } from './run-copies.ts';
import { WholeCopies } from './whole-copies.ts';

export interface ReplicasOptions {
  readonly config: Pick<Config, 'dedup' | 'data' | 'quota'>;
  readonly folder: DataFolder;
  readonly runtime: Runtime;
  readonly observer: ReplicaObserver;
  readonly log: Log;
}

export interface StartReplicasOptions {
  readonly tier: Tier;
  readonly space: Space;
  /** Whether fills run or clients wait for layers that are made again. */
  isBusy(): boolean;
  /** Whether clients wait for bytes at this moment. */
  isWaiting(): boolean;
}

export class Replicas {
  readonly copies: WholeCopies;
  /** Small layers that were made ahead. */
  readonly memory: MemoryLayers;
  readonly #options: ReplicasOptions;
  readonly #histories: Histories;
  readonly #popularity: Popularity;
  readonly #recent: RecentRequests;
  readonly #ended = new AbortController();
  /** On threads that no client waits for. */
  #restorations: Restorations | undefined;
  #work: ReplicaWork | undefined;
  #predictor: Predictor | undefined;
  #runs: RunCopies | undefined;

  constructor(options: ReplicasOptions) {
    const { folder, runtime, log } = options;
    const { blobs: whole, files, index, environment } = folder;
    const { clock } = runtime;
    this.#options = options;
    this.memory = new MemoryLayers(clock);
    this.#recent = new RecentRequests(clock);
    this.#histories = openHistories(environment, log);
    this.#popularity = new Popularity({ table: this.#histories.popularity, clock });
    this.copies = new WholeCopies({
      ...options,
      ...{ whole, files, index, popularity: this.#popularity },
      isAwaited: (digest) => this.#predictor?.isAwaited(digest) === true,
    });
  }

  /** Begins to work; without the core nothing can be made again. */
  start({ tier, space, isBusy, isWaiting }: StartReplicasOptions): void {
    const { folder, runtime, config, log, observer } = this.#options;
    const { core, packs, recipes, store } = tier;
    if (core === undefined) return;
    const { blobs: whole, files, index } = folder;
    const { clock, hashing } = runtime;
    const onDamaged = (digest: Digest, error: unknown) => tier.dropLayer(digest, error);
    const restorations = new Restorations({
      ...{ core: core.ingest, index: files, packs, recipes, clock, onDamaged },
    });
    this.#restorations = restorations;
    const openRestoration = (digest: Digest) => restorations.openAlone(digest);
    const pieces = (digest: Digest, from: number, signal: AbortSignal) =>
      makePieces(openRestoration, digest, from, signal);
    // What mode `s` keeps whole can always be made again.
    const mayEvict = config.dedup.mode !== 's';
    const promoting = { whole, space, files, onDamaged, pieces, mayEvict };
    const shared = { config, whole, files, copies: this.copies, clock, log, observer };
    this.#work = new ReplicaWork({
      ...{ ...shared, store, isBusy },
      promote: (digest, signal) => {
        const quiet = (until: AbortSignal) => untilQuiet({ clock, isBusy }, until);
        return promoteLayer({ ...promoting, untilQuiet: quiet }, digest, signal);
      },
      reclaim: () => tier.reclaim(),
    });
    this.#predictor = new Predictor({
      ...{ ...shared, histories: this.#histories, index, memory: this.memory, isBusy: isWaiting },
      promote: (digest, pause, signal) =>
        promoteLayer({ ...promoting, untilQuiet: pause }, digest, signal),
      begin: async (digest, pause, signal) => {
        const run = await tier.restorations?.begin(digest);
        const ending = this.#ended.signal;
        return run !== undefined && (await beginAhead({ run, clock, ending, pause }, signal));
      },
      makeInMemory: ({ digest, size }, pause, signal) =>
        makeInMemory({ hashing, openRestoration, onDamaged, pause }, digest, size, signal),
    });
    this.#runs = new RunCopies({ ...shared, space, onDamaged });
    this.#work.start();
  }

  /** What is made of a layer for clients from now on, as a whole copy too; undefined where none is wanted. */
  copyRun(digest: Digest): RunCopy | undefined {
    const { mode, replicas } = this.#options.config.dedup;
    return mode === 'b' && replicas === 0 ? undefined : this.#runs?.begin(digest);
  }

  /** A client gets a manifest that it may have. `repository` is the index's key. */
  async manifestPulled(repository: string, digest: Digest, client: string): Promise<void> {
    // By tag and by digest, clients get the same one twice.
    if (!this.#recent.begins(digest, client)) return;
    await this.#predictor?.manifestPulled(repository, digest, client);
  }

  /** A client asks for a blob that it may have. */
  blobPulled(repository: string, digest: Digest, client: string): void {
    if (!this.#recent.begins(digest, client)) return;
    this.#predictor?.blobPulled(repository, digest, client);
    this.#popularity.note(digest);
    if (this.#options.config.dedup.mode === 's') this.#work?.wake();
  }

  /** Bounds what is remembered, and looks at all layers. */
  async collect(): Promise<void> {
    this.memory.sweep();
    await this.#histories.trim();
    this.#work?.wake();
  }

  async close(): Promise<void> {
    this.#ended.abort();
    await this.#predictor?.close();
    await this.#runs?.close();
    await this.#work?.close();
    await this.#restorations?.close();
    await this.#histories.close();
  }
}
