// What was seen of layers and clients, under keys of text: kept in the index, written in batches, and never
// more than so many entries. What a crash or a full disk loses of it makes guesses worse, and nothing else.

import type { Database } from 'lmdb';
import type { Log } from '../log.ts';
import { type LmdbEnvironment, pages } from '../store/lmdb-environment.ts';

/** Delay between a change and its writing, ms. */
const FLUSH_DELAY_MS = 5000;

/** Changes that wait at most; more than come within the delay while the disk takes them. */
const MAX_PENDING = 2000;

export interface Dated {
  /** When it was changed last, ms since the epoch. */
  readonly atMs: number;
}

export interface HistoryTableOptions {
  /** Stays the caller's, and has to be closed after the table. */
  readonly environment: LmdbEnvironment;
  readonly name: string;
  /** Entries that trim() leaves. */
  readonly maxEntries: number;
  readonly log: Log;
}

export class HistoryTable<Value extends Dated> {
  readonly #options: HistoryTableOptions;
  /** Absent when it could not be made, on a full disk: then all is in memory until the next start. */
  readonly #database: Database<Value, string> | undefined;
  readonly #pending: Map<string, Value> = new Map();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;

  constructor(options: HistoryTableOptions) {
    this.#options = options;
    try {
      this.#database = options.environment.openDatabase(options.name);
    } catch (error) {
      options.log.warn({ err: error }, 'what is seen of layers cannot be kept');
    }
  }

  get(key: string): Value | undefined {
    return this.#pending.get(key) ?? this.#database?.get(key);
  }

  set(key: string, value: Value): void {
    this.#pending.delete(key);
    this.#pending.set(key, value);
    if (this.#pending.size > MAX_PENDING) this.#dropOldest();
    if (!this.#isClosed) this.#timer ??= setTimeout(() => void this.#flushNow(), FLUSH_DELAY_MS);
  }

  /** Forgets what was changed longest ago, until no more than `maxEntries` are left. */
  async trim(): Promise<void> {
    await this.#flushNow();
    const database = this.#database;
    if (database === undefined) return;
    const entries: { readonly key: string; readonly atMs: number }[] = [];
    for await (const { key, value } of pages(database)) {
      entries.push({ key, atMs: value.atMs });
    }
    const surplus = entries.length - this.#options.maxEntries;
    if (surplus <= 0) return;
    entries.sort((one, other) => one.atMs - other.atMs);
    await this.#options.environment.write(() => {
      for (const { key } of entries.slice(0, surplus)) database.removeSync(key);
    });
  }

  /** Writes what waits. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const changes = [...this.#pending];
    const database = this.#database;
    if (changes.length === 0 || database === undefined) return;
    await this.#options.environment.write(() => {
      for (const [key, value] of changes) database.putSync(key, value);
    });
    for (const [key, value] of changes) {
      if (this.#pending.get(key) === value) this.#pending.delete(key);
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#flushNow();
  }

  /** Writes what waits; when that fails it waits for the next time. */
  async #flushNow(): Promise<void> {
    try {
      await this.flush();
    } catch (error) {
      this.#options.log.warn({ err: error }, 'what was seen of layers could not be written');
    }
  }

  #dropOldest(): void {
    const [oldest] = this.#pending.keys();
    if (oldest !== undefined) this.#pending.delete(oldest);
  }
}
