// The index of files in LMDB, in the same environment as the index of tags and manifests.

import type { Digest } from '../oci/digest.ts';
import type { LmdbEnvironment } from '../store/lmdb-environment.ts';
import { AppendedPlaces } from './appended-places.ts';
import type {
  AppendedFiles,
  FileIndex,
  FileTotals,
  LayerCommit,
  LayerEntry,
  LayerRecord,
  LocatedFiles,
  Miscount,
  PackRecord,
  QueueEntry,
  WholeRecord,
} from './file-index.ts';
import { SLICE_LENGTH } from './file-slices.ts';
import { type FileTables, giveNumber, openFileTables, readTotals } from './file-tables.ts';
import { LmdbFiles } from './lmdb-files.ts';
import { LmdbLayers } from './lmdb-layers.ts';
import { LmdbPacks } from './lmdb-packs.ts';
import { LmdbQueue } from './lmdb-queue.ts';
import { mendIndex } from './mend-index.ts';
import { describeFound, recountIndex } from './recount-index.ts';

export interface LmdbFileIndexOptions {
  /** Stays the caller's, and has to be closed after the index. */
  readonly environment: LmdbEnvironment;
  /** Different files that are written in one transaction. */
  readonly sliceLength?: number;
  /** Milliseconds since the epoch. */
  now(): number;
}

export function openLmdbFileIndex(options: LmdbFileIndexOptions): LmdbFileIndex {
  return new LmdbFileIndex(options, openFileTables(options.environment));
}

export class LmdbFileIndex implements FileIndex {
  readonly #environment: LmdbEnvironment;
  readonly #tables: FileTables;
  readonly #sliceLength: number;
  readonly #queue: LmdbQueue;
  readonly #packs: LmdbPacks;
  readonly #files: LmdbFiles;
  readonly #layers: LmdbLayers;
  /** Work in slices. */
  readonly #running: Set<Promise<unknown>> = new Set();

  constructor(options: LmdbFileIndexOptions, tables: FileTables) {
    const { environment, sliceLength = SLICE_LENGTH } = options;
    this.#environment = environment;
    this.#tables = tables;
    this.#sliceLength = sliceLength;
    this.#queue = new LmdbQueue(environment, tables);
    this.#packs = new LmdbPacks(environment, tables);
    this.#files = new LmdbFiles(tables, this.#packs);
    this.#layers = new LmdbLayers({
      environment,
      tables,
      sliceLength,
      queue: this.#queue,
      packs: this.#packs,
      files: this.#files,
      now: () => options.now(),
    });
  }

  enqueue(digest: Digest, nowMs: number): Promise<boolean> {
    return this.#queue.enqueue(digest, nowMs);
  }

  async claim(owner: string, nowMs: number, untilMs: number): Promise<QueueEntry | undefined> {
    await this.#run(this.#layers.tidy());
    return this.#queue.claim(owner, nowMs, untilMs);
  }

  renew(digest: Digest, owner: string, untilMs: number): Promise<boolean> {
    return this.#queue.setEnd(digest, owner, untilMs, true);
  }

  async release(digest: Digest, owner: string, notBeforeMs: number): Promise<void> {
    await this.#queue.setEnd(digest, owner, notBeforeMs, false);
  }

  async dequeue(digest: Digest): Promise<void> {
    await this.#environment.write(() => this.#queue.drop(digest));
  }

  listQueue(): AsyncGenerator<QueueEntry> {
    return this.#queue.list();
  }

  getLayer(digest: Digest): Promise<LayerRecord | undefined> {
    return this.#layers.get(digest);
  }

  listLayers(): AsyncGenerator<LayerEntry> {
    return this.#layers.list();
  }

  putWhole(digest: Digest, record: WholeRecord): Promise<void> {
    return this.#layers.putWhole(digest, record);
  }

  commitLayer(commit: LayerCommit): Promise<boolean> {
    return this.#run(this.#layers.commit(commit));
  }

  removeLayer(digest: Digest): Promise<boolean> {
    return this.#run(this.#layers.remove(digest));
  }

  async placesVersion(): Promise<string> {
    const { identity, given } = this.#tables;
    const known = identity.get('identity') ?? (await this.#makeIdentity());
    return `${known}:${given.get('places') ?? 0}`;
  }

  locate(ids: Uint8Array): Promise<LocatedFiles> {
    return this.#files.locate(ids);
  }

  moveFiles(from: number, ids: Uint8Array, sizes: Uint8Array, to: AppendedFiles): Promise<boolean> {
    return this.#run(this.#move(from, ids, sizes, to));
  }

  filesIn(pack: number): Promise<Uint8Array> {
    return this.#files.listIn(pack);
  }

  openPack(owner: string): Promise<PackRecord> {
    return this.#packs.open(owner);
  }

  skipPacks(number: number): Promise<number> {
    return this.#packs.skip(number);
  }

  sealPack(pack: number): Promise<void> {
    return this.#packs.seal(pack);
  }

  getPack(pack: number): Promise<PackRecord | undefined> {
    return this.#packs.get(pack);
  }

  listPacks(): AsyncGenerator<PackRecord> {
    return this.#packs.list();
  }

  removePack(pack: number): Promise<boolean> {
    return this.#packs.remove(pack);
  }

  totals(): Promise<FileTotals> {
    return this.#environment.read(() => {
      const totals = readTotals(this.#tables);
      return {
        layers: { recipes: totals.recipes, whole: totals.whole, queued: totals.queued },
        bytes: {
          compressed: totals.compressedSize,
          tar: totals.tarSize,
          recipes: totals.recipeSize,
          packs: totals.packSize,
        },
        files: {
          unique: totals.files,
          duplicate: totals.references - totals.files,
          uniqueSize: totals.fileSize,
        },
        reasons: totals.reasons,
      };
    });
  }

  isMadeOf(digest: Digest, ids: Uint8Array): Promise<boolean> {
    return this.#layers.isMadeOf(digest, ids);
  }

  recount(repair: boolean): Promise<readonly Miscount[]> {
    return this.#run(this.#recount(repair));
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#running);
  }

  #makeIdentity(): Promise<string> {
    const { identity } = this.#tables;
    return this.#environment.write(() => {
      const made = identity.get('identity') ?? crypto.randomUUID();
      identity.putSync('identity', made);
      return made;
    });
  }

  async #recount(repair: boolean): Promise<readonly Miscount[]> {
    const environment = this.#environment;
    const tables = this.#tables;
    const snapshot = environment.snapshot();
    const found = await recountIndex(tables, snapshot).finally(() => snapshot.done());
    if (repair) {
      await mendIndex({ environment, tables, packs: this.#packs, files: this.#files }, found);
      await this.#layers.tidy();
    }
    return describeFound(found);
  }

  /** In slices, each of which is whole for itself: a file is in one pack or in the other. */
  async #move(
    from: number,
    ids: Uint8Array,
    sizes: Uint8Array,
    to: AppendedFiles,
  ): Promise<boolean> {
    const count = to.numbers.length;
    const plainSize = new AppendedPlaces(ids, sizes, [to]).sumSizes(to);
    for (let start = 0; start === 0 || start < count; start += this.#sliceLength) {
      const end = Math.min(start + this.#sliceLength, count);
      const isMoved = await this.#environment.write(() => {
        if (!this.#packs.isThere(from) || !this.#packs.isThere(to.pack)) return false;
        if (start === 0) this.#packs.change(to.pack, { plainSize }, to.packSize);
        this.#files.move(from, ids, to, start, end);
        giveNumber(this.#tables, 'places');
        return true;
      });
      if (!isMoved) return false;
    }
    return true;
  }

  async #run<T>(work: Promise<T>): Promise<T> {
    this.#running.add(work);
    try {
      return await work;
    } finally {
      this.#running.delete(work);
    }
  }
}
