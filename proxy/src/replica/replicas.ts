// The registry tier's whole copies while the mirror serves: what is popular, and the work that follows.

import type { Config } from '../config/config.ts';
import type { Tier } from '../dedup/open-tier.ts';
import { Restorations } from '../dedup/restorations.ts';
import type { Log } from '../log.ts';
import type { Digest } from '../oci/digest.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { DataFolder } from '../store/data-folder.ts';
import type { Space } from '../store/space.ts';
import type { DecayedCount } from './decay.ts';
import { HistoryTable } from './history-table.ts';
import { MAX_POPULAR, Popularity } from './popularity.ts';
import { promoteLayer } from './promote.ts';
import { untilQuiet } from './quiet.ts';
import type { ReplicaObserver } from './replica-observer.ts';
import { ReplicaWork } from './replica-work.ts';
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
}

export class Replicas {
  readonly copies: WholeCopies;
  readonly #options: ReplicasOptions;
  readonly #popular: HistoryTable<DecayedCount>;
  readonly #popularity: Popularity;
  /** On threads that no client waits for. */
  #restorations: Restorations | undefined;
  #work: ReplicaWork | undefined;

  constructor(options: ReplicasOptions) {
    const { folder, runtime, log } = options;
    const { blobs: whole, files, index, environment } = folder;
    this.#options = options;
    const table = { environment, name: 'popularity', maxEntries: MAX_POPULAR, log };
    this.#popular = new HistoryTable(table);
    this.#popularity = new Popularity({ table: this.#popular, clock: runtime.clock });
    this.copies = new WholeCopies({
      ...options,
      ...{ whole, files, index, popularity: this.#popularity },
    });
  }

  /** Begins to work; without the core nothing can be made again. */
  start({ tier, space, isBusy }: StartReplicasOptions): void {
    const { folder, runtime, config, log, observer } = this.#options;
    const { core, packs, recipes, store } = tier;
    if (core === undefined) return;
    const { blobs: whole, files } = folder;
    const { clock } = runtime;
    const onDamaged = (digest: Digest, error: unknown) => tier.dropLayer(digest, error);
    const restorations = new Restorations({
      ...{ core: core.ingest, index: files, packs, recipes, clock, onDamaged },
    });
    this.#restorations = restorations;
    const promoting = {
      ...{ whole, space, files, onDamaged },
      openRestoration: (digest: Digest) => restorations.openAlone(digest),
      untilQuiet: (signal: AbortSignal) => untilQuiet({ clock, isBusy }, signal),
    };
    this.#work = new ReplicaWork({
      ...{ config, whole, store, files, clock, log, observer, isBusy, copies: this.copies },
      promote: (digest, signal) => promoteLayer(promoting, digest, signal),
      reclaim: () => tier.reclaim(),
    });
    this.#work.start();
  }

  /** A client asks for a blob that it may have. */
  notePull(digest: Digest, client: string): void {
    if (this.#popularity.note(digest, client)) this.#work?.wake();
  }

  /** Bounds what is remembered, and looks at all layers. */
  async collect(): Promise<void> {
    await this.#popular.trim();
    this.#work?.wake();
  }

  async close(): Promise<void> {
    await this.#work?.close();
    await this.#restorations?.close();
    await this.#popular.close();
  }
}
