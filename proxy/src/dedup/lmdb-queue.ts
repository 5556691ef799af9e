// The queue of layers in LMDB. A claim is decided in a transaction, so among all processes one gets it.

import type { Digest } from '../oci/digest.ts';
import { type LmdbEnvironment, pages } from '../store/lmdb-environment.ts';
import type { QueueEntry } from './file-index.ts';
import { changeTotals, type FileTables, type QueuedLayer } from './file-tables.ts';

/** Layers that a transaction looks at: when others were quicker, its own may be a few further on. */
const CLAIM_LENGTH = 64;

type QueueKey = [number, Digest];

interface Found {
  readonly key: QueueKey;
  readonly value: QueuedLayer;
}

export class LmdbQueue {
  readonly #environment: LmdbEnvironment;
  readonly #tables: FileTables;

  constructor(environment: LmdbEnvironment, tables: FileTables) {
    this.#environment = environment;
    this.#tables = tables;
  }

  enqueue(digest: Digest, nowMs: number): Promise<boolean> {
    const { queue, queued, layers } = this.#tables;
    return this.#environment.write(() => {
      if (queued.get(digest) !== undefined || layers.get(digest) !== undefined) return false;
      queued.putSync(digest, nowMs);
      queue.putSync([nowMs, digest], { attempts: 0, availableMs: 0 });
      changeTotals(this.#tables, (totals) => {
        totals.queued += 1;
      });
      return true;
    });
  }

  async claim(owner: string, nowMs: number, untilMs: number): Promise<QueueEntry | undefined> {
    for (;;) {
      const start = await this.#findAvailable(nowMs);
      if (start === undefined) return undefined;
      const entry = await this.#environment.write(() => this.#take(start, owner, nowMs, untilMs));
      if (entry !== undefined) return entry;
    }
  }

  /** False when the claim is not the owner's. */
  setEnd(digest: Digest, owner: string, availableMs: number, isKept: boolean): Promise<boolean> {
    return this.#environment.write(() => {
      const found = this.#find(digest);
      if (found?.value.owner !== owner) return false;
      const { attempts } = found.value;
      const claim = isKept ? { owner } : {};
      this.#tables.queue.putSync(found.key, { attempts, availableMs, ...claim });
      return true;
    });
  }

  /** Inside a transaction. */
  drop(digest: Digest): void {
    const found = this.#find(digest);
    if (found === undefined) return;
    this.#tables.queue.removeSync(found.key);
    this.#tables.queued.removeSync(digest);
    changeTotals(this.#tables, (totals) => {
      totals.queued -= 1;
    });
  }

  async *list(): AsyncGenerator<QueueEntry> {
    for await (const { key, value } of pages(this.#tables.queue)) {
      yield { digest: key[1], queuedMs: key[0], attempts: value.attempts };
    }
  }

  async #findAvailable(nowMs: number): Promise<QueueKey | undefined> {
    for await (const { key, value } of pages(this.#tables.queue)) {
      if (value.availableMs <= nowMs) return key;
    }
    return undefined;
  }

  #take(start: QueueKey, owner: string, nowMs: number, untilMs: number): QueueEntry | undefined {
    const { queue } = this.#tables;
    const found = [...queue.getRange({ start, limit: CLAIM_LENGTH })];
    const first = found.find(({ value }) => value.availableMs <= nowMs);
    if (first === undefined) return undefined;
    const [queuedMs, digest] = first.key;
    const attempts = first.value.attempts + 1;
    queue.putSync([queuedMs, digest], { attempts, availableMs: untilMs, owner });
    return { digest, queuedMs, attempts };
  }

  #find(digest: Digest): Found | undefined {
    const queuedMs = this.#tables.queued.get(digest);
    if (queuedMs === undefined) return undefined;
    const key: QueueKey = [queuedMs, digest];
    const value = this.#tables.queue.get(key);
    return value === undefined ? undefined : { key, value };
  }
}
