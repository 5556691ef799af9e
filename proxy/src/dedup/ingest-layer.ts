// Takes one layer apart: its recipe, the files that are new, the proof that it comes out the same, and
// only then a record of it.
//
//   recipe made ──> new files in a pack, synced ──> layer made again, digest compared
//          ──> recipe under its name, synced ──> one transaction of the index
//
// A crash between any two steps leaves the whole layer, bytes behind the end of a pack that the next
// append cuts off, and a recipe that nobody knows.

import {
  type Core,
  type IngestedLayer,
  type IngestOptions,
  isCoreError,
  type LayerSummary,
} from 'mica-core/core';
import { type Digest, digestAlgorithm } from '../oci/digest.ts';
import type { Clock } from '../runtime/runtime.ts';
import type {
  AppendedFiles,
  FileIndex,
  LocatedFiles,
  PackRecord,
  RecipeRecord,
} from './file-index.ts';
import { hashRestoration } from './hash-restoration.ts';
import { KnownPlaces } from './known-places.ts';
import { LocatedLayer } from './located-layer.ts';
import { PackCutError, type PackStore } from './pack-store.ts';
import type { RecipeStore } from './recipe-store.ts';
import { isDamage } from './restorations.ts';

/** Bytes at which a pack is sealed and the next one begun: what compaction copies at a time at most. */
const SEALED_PACK_SIZE = 512 * 1024 * 1024;

/**
 * Bytes of tar in a layer at most: half as much again as the largest images of Docker Hub, and minutes
 * of work for a bomb. Its recipe has to be readable: core-rs/doc/recipe-format.md, directory.
 */
const TAR_LIMIT = 64 * 1024 * 1024 * 1024;

/** A recipe that is more than this share of its layer saves nothing: the files come on top of it. */
const MAX_RECIPE_RATIO = 0.5;

/**
 * Bytes of tar a second that the slowest model makes on one thread (zlib 9, `npm run bench -- core`), and
 * seconds to open a layer: a proof that took longer than they say waited for clients' work meanwhile.
 */
const SLOWEST_RESTORE = 25e6;
const LONGEST_OPENING = 0.02;

/** Tries to commit a layer whose files went while it was taken apart. */
const MAX_COMMITS = 3;

export interface IngestParts {
  readonly core: Core;
  readonly index: FileIndex;
  readonly packs: PackStore;
  readonly recipes: RecipeStore;
  readonly clock: Pick<Clock, 'now'>;
}

export interface IngestLayerOptions {
  readonly digest: Digest;
  /** Path of the whole layer. */
  readonly path: string;
  /** Whose pack is appended to. One ingest at a time may use it. */
  readonly packOwner: string;
  readonly signal: AbortSignal;
  /** Hears the bytes of the layer that a step has done so far. */
  onProgress?(step: IngestStep, done: number): void;
}

/** `recipe`: it is taken apart; `files`: new files go into a pack; `proof`: it is made again. */
export type IngestStep = 'recipe' | 'files' | 'proof';

/**
 * `recipe`: the layer can be made again. `whole`: it stays, for the reason, which is a code. `damaged`:
 * the bytes are not those of the digest.
 */
export type IngestOutcome =
  | { readonly kind: 'recipe'; readonly record: RecipeRecord; readonly newBytes: number }
  | { readonly kind: 'whole'; readonly size: number; readonly reason: string }
  | { readonly kind: 'damaged' };

interface NewFiles extends AppendedFiles {
  /** By which the pack has grown. */
  readonly newBytes: number;
}

/** The layer came out as another one; what is wrong is in a pack, or in the core. */
export class WrongRestoreError extends Error {
  override readonly name = 'WrongRestoreError';
  readonly code = 'RESTORE_DIGEST';
  readonly got: string;

  constructor(digest: Digest, got: string) {
    super(`${digest} comes out as ${got}`);
    this.got = got;
  }
}

/** Codes of the core that speak of a layer's own bytes. */
const LAYER_FAULT = /^(LAYER|GZIP|DEFLATE|TAR|RECIPE|SEGMENT)_/;

/** Codes of the core that speak of the pack that is appended to: it gets nothing more. */
const PACK_FAULT = /^PACK_/;

/**
 * Rejects with what may pass: the system's errors (a full disk), the index's, damaged packs, an abort.
 */
export async function ingestLayer(
  parts: IngestParts,
  options: IngestLayerOptions,
): Promise<IngestOutcome> {
  try {
    // The whole layer is made again in any case: segments need no proof of their own.
    return await ingestOnce(parts, options, { isProvenLater: true });
  } catch (error) {
    if (!(error instanceof WrongRestoreError || isDamage(error))) throw error;
    return await ingestOnce(parts, options, { isProvenLater: false });
  }
}

type ProofOptions = Required<Pick<IngestOptions, 'isProvenLater'>>;

async function ingestOnce(
  parts: IngestParts,
  options: IngestLayerOptions,
  proof: ProofOptions,
): Promise<IngestOutcome> {
  const recipe = parts.recipes.temporary(options.digest);
  try {
    const ingested = await takeApart(parts, options, recipe, proof);
    if ('kind' in ingested) return ingested;
    const { summary, recipeSize } = ingested;
    if (summary.digest !== options.digest) return { kind: 'damaged' };
    if (ingested.inexact !== undefined) {
      return { kind: 'whole', size: summary.size, reason: ingested.inexact.code };
    }
    if (recipeSize > summary.size * MAX_RECIPE_RATIO) {
      return { kind: 'whole', size: summary.size, reason: 'RECIPE_LARGE' };
    }
    return await new LayerIngest(parts, options, recipe, ingested).commit();
  } finally {
    await parts.recipes.discard(recipe);
  }
}

async function takeApart(
  { core }: IngestParts,
  options: IngestLayerOptions,
  recipe: string,
  { isProvenLater }: ProofOptions,
): Promise<IngestedLayer | IngestOutcome> {
  const { digest, path, signal } = options;
  const algorithm = digestAlgorithm(digest);
  const onProgress = (done: number) => options.onProgress?.('recipe', done);
  try {
    const limits = { tarLimit: TAR_LIMIT, signal, onProgress };
    return await core.ingest(path, { recipe, algorithm, isProvenLater, ...limits });
  } catch (error) {
    if (!isCoreError(error) || !LAYER_FAULT.test(error.code)) throw error;
    const found = await core.hashFile(path, { algorithm, signal });
    if (found.digest !== digest) return { kind: 'damaged' };
    return { kind: 'whole', size: found.size, reason: error.code };
  }
}

/** A layer that was taken apart, on its way into packs and index. */
class LayerIngest {
  readonly #parts: IngestParts;
  readonly #options: IngestLayerOptions;
  /** Where its recipe is now. */
  #recipe: string;
  readonly #ingested: IngestedLayer;
  readonly #known: KnownPlaces;

  constructor(
    parts: IngestParts,
    options: IngestLayerOptions,
    recipe: string,
    ingested: IngestedLayer,
  ) {
    this.#parts = parts;
    this.#options = options;
    this.#recipe = recipe;
    this.#ingested = ingested;
    this.#known = new KnownPlaces(parts.recipes);
  }

  async commit(): Promise<IngestOutcome> {
    const { core } = this.#parts;
    const { digest, signal } = this.#options;
    const ids = await core.fileIds(this.#recipe, { signal });
    const sizes = await core.fileSizes(this.#recipe, { signal });
    for (let round = 1; ; round += 1) {
      const version = await this.#parts.index.placesVersion();
      const { appended, located, restoreSeconds } = await this.#packAndProve(ids);
      await this.#publish();
      const record = this.#record(restoreSeconds);
      if (await this.#commitOnce(record, ids, sizes, appended)) {
        // Without them the first client waits until its files are looked up.
        await this.#known.write(digest, version, located).catch(() => undefined);
        const newBytes = appended.reduce((sum, files) => sum + files.newBytes, record.recipeSize);
        return { kind: 'recipe', record, newBytes };
      }
      const known = await this.#parts.index.getLayer(digest);
      if (known?.kind === 'recipe') return { kind: 'recipe', record: known, newBytes: 0 };
      if (round === MAX_COMMITS) throw new Error(`${digest}: its files keep going away`);
    }
  }

  async #publish(): Promise<void> {
    const { recipes } = this.#parts;
    const { digest, signal } = this.#options;
    signal.throwIfAborted();
    const published = recipes.path(digest);
    if (this.#recipe === published) return;
    await recipes.publish(this.#recipe, digest);
    this.#recipe = published;
  }

  async #commitOnce(
    record: RecipeRecord,
    ids: Uint8Array,
    sizes: Uint8Array,
    appended: readonly AppendedFiles[],
  ): Promise<boolean> {
    const { index } = this.#parts;
    const { digest, signal } = this.#options;
    signal.throwIfAborted();
    const isCommitted = await index.commitLayer({ digest, record, ids, sizes, appended });
    for (const { pack, packSize } of appended) {
      if (packSize >= SEALED_PACK_SIZE) await index.sealPack(pack);
    }
    return isCommitted;
  }

  /** Puts what is new into a pack and makes the layer from it. */
  async #packAndProve(ids: Uint8Array): Promise<{
    readonly appended: readonly NewFiles[];
    readonly located: LocatedFiles;
    readonly restoreSeconds: number;
  }> {
    const found = await this.#parts.index.locate(ids);
    const layer = new LocatedLayer(ids, found);
    const appended = found.missing.length === 0 ? [] : [await this.#pack(found.missing)];
    for (const { pack, numbers, places } of appended) layer.addPacked(pack, numbers, places);
    const located = layer.finish();
    return { appended, located, restoreSeconds: await this.#prove(located) };
  }

  /** Makes the layer from its files; gives the seconds that it took. */
  async #prove({ places, packs: numbers }: LocatedFiles): Promise<number> {
    const recipe = this.#recipe;
    const { packs, clock, core } = this.#parts;
    const { digest, signal } = this.#options;
    const algorithm = digestAlgorithm(digest);
    const onProgress = (done: number) => this.#options.onProgress?.('proof', done);
    const startedMs = clock.now();
    const paths = numbers.map((number) => packs.path(number));
    const restoration = await core.openRestoration({ recipe, packs: paths, places, signal });
    const restored = await hashRestoration(core, restoration, algorithm, signal, onProgress);
    if (restored !== digest) throw new WrongRestoreError(digest, restored);
    return (clock.now() - startedMs) / 1000;
  }

  async #pack(files: Uint32Array): Promise<NewFiles> {
    for (;;) {
      const { record, path: pack } = await this.#preparePack();
      try {
        return await this.#append(record, pack, files);
      } catch (error) {
        // The head of a new pack is right: who made it has just written it.
        if (record.size === 0 || !isCoreError(error) || !PACK_FAULT.test(error.code)) throw error;
        await this.#parts.index.sealPack(record.number);
      }
    }
  }

  async #append(record: PackRecord, pack: string, files: Uint32Array): Promise<NewFiles> {
    const { core } = this.#parts;
    const { path, signal } = this.#options;
    const recipe = this.#recipe;
    const onProgress = (done: number) => this.#options.onProgress?.('files', done);
    const packed = await core.packFiles(path, { recipe, pack, files, signal, onProgress });
    return {
      pack: record.number,
      packSize: packed.end,
      numbers: packed.files,
      places: packed.places,
      newBytes: packed.end - packed.start,
    };
  }

  #record(restoreSeconds: number): RecipeRecord {
    const { summary, compressor, level, recipeSize } = this.#ingested;
    const { size, diffId, tarSize, files }: LayerSummary = summary;
    return {
      kind: 'recipe',
      ...{ size, diffId, tarSize, files, recipeSize },
      restoreSeconds: Math.min(restoreSeconds, LONGEST_OPENING + tarSize / SLOWEST_RESTORE),
      ...(compressor === undefined ? {} : { compressor }),
      ...(level === undefined ? {} : { level }),
      storedMs: this.#parts.clock.now(),
    };
  }

  /** A pack that was cut short by the disk gets nothing more: it is sealed, and another one begun. */
  async #preparePack(): Promise<{ readonly record: PackRecord; readonly path: string }> {
    const { index, packs } = this.#parts;
    for (;;) {
      const record = await index.openPack(this.#options.packOwner);
      try {
        return { record, path: await packs.prepare(record.number, record.size) };
      } catch (error) {
        if (!(error instanceof PackCutError)) throw error;
        await index.sealPack(record.number);
      }
    }
  }
}
