// One LMDB environment: a memory-mapped file with databases, read at once, written in transactions
// that are committed off the event loop. Several processes may use the same folder at the same time.
// Source: https://github.com/kriszyp/lmdb-js#readme

import {
  type Database,
  type DatabaseOptions,
  type Key,
  open,
  type RootDatabase,
  type Transaction,
} from 'lmdb';
import type { Log } from '../log.ts';
import { DataFolderError } from './data-folder-error.ts';

/**
 * The layout of all databases together. One that was written before there were versions has none; it
 * only lacks databases, which are made when it is opened.
 */
export const INDEX_VERSION = 1;

/** Entries read in one go while listing: a longer read would keep old pages from being used again. */
const PAGE_LENGTH = 256;

/** Databases that may be open at the same time: those there are, and some to come. */
const MAX_DATABASES = 32;

export interface LmdbEnvironmentOptions {
  /** Made if absent. */
  readonly folder: string;
  readonly log?: Log | undefined;
}

/**
 * Opens the environment in a folder; rejects when the folder cannot be written or holds something
 * else, with DataFolderError when a newer Mica wrote it.
 */
export async function openLmdbEnvironment(
  options: LmdbEnvironmentOptions,
): Promise<LmdbEnvironment> {
  const { folder, log } = options;
  const root = open({
    path: folder,
    maxDbs: MAX_DATABASES,
    // A write's promise resolves after the sync, not before it.
    overlappingSync: false,
    // With it, a failed commit (a full disk) also rejects a promise that nobody can reach, which
    // ends the process: lmdb 3.5.6, write.js, `writeBatchStart()`.
    eventTurnBatching: false,
  });
  try {
    settleVersion(root, options);
  } catch (error) {
    await root.close();
    throw error;
  }
  return new LmdbEnvironment(root, log);
}

function settleVersion(root: RootDatabase, { folder, log }: LmdbEnvironmentOptions): void {
  const about = root.openDB<number, string>({ name: 'about' });
  const version = about.get('version') ?? 0;
  if (version > INDEX_VERSION) {
    throw new DataFolderError(
      'DATA_FOLDER_TOO_NEW',
      folder,
      `${folder} was written by a newer Mica (layout ${version}, this one knows ${INDEX_VERSION}): update Mica, or set data to another folder`,
    );
  }
  if (version === INDEX_VERSION) return;
  try {
    // At once, as databases are made: a transaction that waits for the event loop would block it when
    // the same folder is opened twice.
    about.putSync('version', INDEX_VERSION);
  } catch (error) {
    // A full disk is no reason not to start; the version is written the next time.
    log?.warn({ error }, 'the version of the index could not be written');
  }
}

/** Nothing of a transaction was written: the disk is full or broken. */
export class IndexWriteError extends Error {
  override readonly name = 'IndexWriteError';
  readonly code = 'INDEX_NOT_WRITTEN';

  constructor(options: ErrorOptions) {
    super('the index could not be written: is the disk full?', options);
  }
}

function isCommitFailure(error: unknown): error is Error & { commitError: Promise<never> } {
  return error instanceof Error && 'commitError' in error && error.commitError instanceof Promise;
}

export class LmdbEnvironment {
  readonly #root: RootDatabase;
  readonly #log: Log | undefined;

  constructor(root: RootDatabase, log: Log | undefined) {
    this.#root = root;
    this.#log = log;
  }

  /** Made if absent. */
  openDatabase<V, K extends Key>(name: string, options: DatabaseOptions = {}): Database<V, K> {
    return this.#root.openDB<V, K>({ ...options, name });
  }

  /** LMDB's reads are memory accesses; the promise is the port's, and turns a throw into a rejection. */
  read<T>(read: () => T): Promise<T> {
    return Promise.resolve().then(read);
  }

  /**
   * Runs writes as one transaction; resolves when it is on stable storage. Inside it the calls named
   * `Sync` only change the transaction, which a thread commits. What was changed before a throw is
   * committed too, so look before you write.
   */
  async write<T>(change: () => T): Promise<T> {
    try {
      return await this.#root.transaction(change);
    } catch (error) {
      if (!isCommitFailure(error)) throw error;
      // The reason comes as a promise of its own, whose rejection would otherwise end the process.
      error.commitError.catch((cause: unknown) => {
        this.#log?.error({ error: cause }, 'the index could not be written');
      });
      throw new IndexWriteError({ cause: error });
    }
  }

  /**
   * Everything as it is now, for reads that belong together. Until `done()` no page that is of it is
   * used again, so the folder grows with what is written meanwhile.
   */
  snapshot(): Transaction {
    return this.#root.useReadTransaction();
  }

  close(): Promise<void> {
    return this.#root.close();
  }
}

/** Reads a database in pages, so that no read transaction outlives the consumer's wait. */
export async function* pages<V, K extends Key>(
  database: Database<V, K>,
  range: { start?: K; end?: K; transaction?: Transaction } = {},
): AsyncGenerator<{ key: K; value: V }> {
  let start = range.start;
  let exclusiveStart = false;
  for (;;) {
    const bounds = {
      limit: PAGE_LENGTH,
      exclusiveStart,
      ...(start === undefined ? {} : { start }),
      ...(range.end === undefined ? {} : { end: range.end }),
      ...(range.transaction === undefined ? {} : { transaction: range.transaction }),
    };
    const page = [...database.getRange(bounds)];
    yield* page;
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE_LENGTH) return;
    start = last.key;
    exclusiveStart = true;
  }
}
