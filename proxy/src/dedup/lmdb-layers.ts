// The records of layers in LMDB, and their references to files.
//
// A layer may have 100,000 files and more: writing so many entries takes a second, in which nothing
// else would happen. So they are written in slices, each a small transaction: it counts the
// references to some files, and notes them as a slice of a *set of references*. The set is loose,
// which is written down first, until a last transaction writes the layer's record and makes it the
// layer's own. Forgetting a layer makes its set loose; then it is given up slice by slice. So after a
// crash, whatever was under way, there is a set that is loose, which anybody gives up later: `tidy`.

import type { Digest } from '../oci/digest.ts';
import { IndexWriteError, type LmdbEnvironment, pages } from '../store/lmdb-environment.ts';
import { AppendedPlaces } from './appended-places.ts';
import type { LayerCommit, LayerEntry, LayerRecord, WholeRecord } from './file-index.ts';
import {
  decodeReferences,
  encodeReferences,
  type FileSlice,
  isSameReference,
  referencesOf,
  sliceFiles,
} from './file-slices.ts';
import { changeTotals, countLayer, type FileTables, giveNumber } from './file-tables.ts';
import type { LmdbFiles } from './lmdb-files.ts';
import type { LmdbPacks } from './lmdb-packs.ts';
import type { LmdbQueue } from './lmdb-queue.ts';
import { nextTurn } from './turn-taker.ts';

/** A set that somebody writes changes every few ms; after so long nobody does, in ms. */
const ABANDONED_MS = 600_000;

export interface LmdbLayersOptions {
  readonly environment: LmdbEnvironment;
  readonly tables: FileTables;
  readonly queue: LmdbQueue;
  readonly packs: LmdbPacks;
  readonly files: LmdbFiles;
  /** Different files in a slice. */
  readonly sliceLength: number;
  /** Milliseconds since the epoch. */
  now(): number;
}

/** The slices of one set. */
interface ReferenceRange {
  readonly start: [number, number];
  readonly end: [number, number];
}

/** A transaction of a commit. */
interface Step {
  readonly layer: LayerCommit;
  readonly places: AppendedPlaces;
  readonly slice: FileSlice;
  /** Which slice of the layer it is. */
  readonly number: number;
  readonly isLast: boolean;
  /** The layer's set of references, once it is begun. */
  readonly references: number | undefined;
}

export class LmdbLayers {
  readonly #options: LmdbLayersOptions;
  readonly #tables: FileTables;

  constructor(options: LmdbLayersOptions) {
    this.#options = options;
    this.#tables = options.tables;
  }

  get(digest: Digest): Promise<LayerRecord | undefined> {
    return this.#options.environment.read(() => this.#tables.layers.get(digest)?.record);
  }

  async *list(): AsyncGenerator<LayerEntry> {
    for await (const { key, value } of pages(this.#tables.layers)) {
      yield { digest: key, ...value.record };
    }
  }

  async putWhole(digest: Digest, record: WholeRecord): Promise<void> {
    await this.#options.environment.write(() => {
      this.#options.queue.drop(digest);
      if (!this.#hasRecipe(digest)) this.#put(digest, record);
    });
  }

  async commit(layer: LayerCommit): Promise<boolean> {
    const { ids, sizes, appended } = layer;
    const places = new AppendedPlaces(ids, sizes, appended);
    if (!(await this.#isComplete(ids, places))) return false;
    let references: number | undefined;
    let isDone = false;
    try {
      const slices = sliceFiles(ids, this.#options.sliceLength);
      let next = slices.next();
      for (let number = 0; !next.done; number += 1) {
        const slice = next.value;
        next = slices.next();
        const isLast = next.done === true;
        const step = { layer, places, slice, number, isLast, references };
        const written = await this.#options.environment.write(() => this.#write(step));
        if (written === undefined) return false;
        references = written;
        isDone = isLast;
      }
    } finally {
      if (!isDone && references !== undefined) await this.#giveUpIfPossible(references);
    }
    return isDone;
  }

  async remove(digest: Digest): Promise<boolean> {
    const removed = await this.#options.environment.write(() => {
      const known = this.#tables.layers.get(digest);
      if (known === undefined) return undefined;
      const { record, references } = known;
      this.#tables.layers.removeSync(digest);
      changeTotals(this.#tables, (totals) => countLayer(totals, record, -1));
      if (references === undefined) return {};
      this.#tables.loose.putSync(references, 0);
      return this.#giveUpSlice(references) ? { references } : {};
    });
    if (removed?.references !== undefined) await this.#giveUpIfPossible(removed.references);
    return removed !== undefined;
  }

  /** Whether the layer's references are these; also when it has none any more. */
  async isMadeOf(digest: Digest, ids: Uint8Array): Promise<boolean> {
    const { references } = this.#tables.layers.get(digest) ?? {};
    if (references === undefined) return true;
    const expected = referencesOf(ids);
    const range = { start: [references, 0], end: [references + 1, 0] } satisfies ReferenceRange;
    for await (const { value } of pages(this.#tables.references, range)) {
      for (const reference of decodeReferences(value)) {
        const next = expected.next();
        if (next.done === true || !isSameReference(next.value, reference)) {
          return !this.#has(digest, references);
        }
      }
    }
    return expected.next().done === true || !this.#has(digest, references);
  }

  /** Gives up what a crash left. */
  async tidy(): Promise<void> {
    const endMs = this.#options.now() - ABANDONED_MS;
    for await (const { key, value } of pages(this.#tables.loose)) {
      if (value <= endMs) await this.#giveUp(key);
    }
  }

  /** Looks for files that are gone before anything is written. */
  async #isComplete(ids: Uint8Array, places: AppendedPlaces): Promise<boolean> {
    for (const slice of sliceFiles(ids, this.#options.sliceLength)) {
      if (this.#options.files.lacks(ids, slice, places)) return false;
      await nextTurn();
    }
    return true;
  }

  /** Gives the set of references; undefined, with nothing written, if the commit cannot go on. */
  #write(step: Step): number | undefined {
    const { files, queue } = this.#options;
    const { layer, places, slice } = step;
    if (!this.#canGoOn(step) || files.lacks(layer.ids, slice, places)) return undefined;
    const references = step.references ?? this.#begin(layer, places);
    files.add(layer.ids, slice, places);
    const encoded = encodeReferences(layer.ids, slice);
    this.#tables.references.putSync([references, step.number], encoded);
    if (step.isLast) {
      this.#tables.loose.removeSync(references);
      queue.drop(layer.digest);
      this.#put(layer.digest, layer.record, references);
    } else {
      this.#tables.loose.putSync(references, this.#options.now());
    }
    return references;
  }

  #canGoOn({ layer, references }: Step): boolean {
    if (this.#hasRecipe(layer.digest)) return false;
    if (references === undefined) return this.#arePacksThere(layer);
    return this.#tables.loose.get(references) !== undefined;
  }

  /** Packs say at once that they are longer: from the first slice on others count on files in them. */
  #begin({ appended }: LayerCommit, places: AppendedPlaces): number {
    for (const files of appended) {
      const plainSize = places.sumSizes(files);
      this.#options.packs.change(files.pack, { plainSize }, files.packSize);
    }
    return giveNumber(this.#tables, 'references');
  }

  #arePacksThere({ appended }: LayerCommit): boolean {
    return appended.every(({ pack }) => this.#options.packs.isThere(pack));
  }

  #has(digest: Digest, references: number): boolean {
    return this.#tables.layers.get(digest)?.references === references;
  }

  #hasRecipe(digest: Digest): boolean {
    return this.#tables.layers.get(digest)?.record.kind === 'recipe';
  }

  #put(digest: Digest, record: LayerRecord, references?: number): void {
    const known = this.#tables.layers.get(digest);
    this.#tables.layers.putSync(
      digest,
      references === undefined ? { record } : { record, references },
    );
    changeTotals(this.#tables, (totals) => {
      if (known !== undefined) countLayer(totals, known.record, -1);
      countLayer(totals, record, 1);
    });
  }

  /** What has been written counts already: when the disk is full, the rest is left to `tidy`. */
  async #giveUpIfPossible(references: number): Promise<void> {
    try {
      await this.#giveUp(references);
    } catch (error) {
      if (!(error instanceof IndexWriteError)) throw error;
    }
  }

  /** Gives up a set of references that is loose, slice by slice. */
  async #giveUp(references: number): Promise<void> {
    while (await this.#options.environment.write(() => this.#giveUpSlice(references)));
  }

  /** Inside a transaction; whether there is more to give up. */
  #giveUpSlice(references: number): boolean {
    if (this.#tables.loose.get(references) === undefined) return false;
    const start: [number, number] = [references, 0];
    const end: [number, number] = [references + 1, 0];
    const [slice, next] = [...this.#tables.references.getRange({ start, end, limit: 2 })];
    if (slice !== undefined) {
      this.#options.files.release(decodeReferences(slice.value));
      this.#tables.references.removeSync(slice.key);
    }
    if (next === undefined) this.#tables.loose.removeSync(references);
    return next !== undefined;
  }
}
