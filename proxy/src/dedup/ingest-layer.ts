// Takes one layer apart: its recipe, the files that are new, the proof that it comes out the same, and
// only then a record of it.
//
//   recipe made, and new files in a pack, synced ──> layer made again, digest compared
//          ──> recipe under its name, synced ──> one transaction of the index
//
// Which files are new is asked of the index while the layer is read, and once more at the end: what is too
// large to be kept until there is an answer, or has gone meanwhile, is packed in a second pass.
//
// A crash between any two steps leaves the whole layer, bytes behind the end of a pack that the next
// append cuts off, and a recipe that nobody knows.

import type { Core, IngestedLayer, IngestOptions, LayerSummary } from 'mica-core/core';
import type { Digest } from '../oci/digest.ts';
import type { Clock } from '../runtime/runtime.ts';
import type { AppendedFiles, FileIndex, LocatedFiles, RecipeRecord } from './file-index.ts';
import { KnownPlaces } from './known-places.ts';
import { LayerPacks, type NewFiles, newFiles } from './layer-packs.ts';
import { LocatedLayer } from './located-layer.ts';
import type { PackStore } from './pack-store.ts';
import { proveLayer, WrongRestoreError } from './prove-layer.ts';
import type { RecipeStore } from './recipe-store.ts';
import { isDamage } from './restorations.ts';
import { type NotTakenApart, type TakenApart, takeApart } from './take-apart.ts';

/** Bytes at which a pack is sealed and the next one begun: what compaction copies at a time at most. */
const SEALED_PACK_SIZE = 512 * 1024 * 1024;

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

/** `recipe`: the layer can be made again. */
export type IngestOutcome =
  | { readonly kind: 'recipe'; readonly record: RecipeRecord; readonly newBytes: number }
  | NotTakenApart;

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

/** With what one try has for itself. */
interface LayerOptions extends IngestLayerOptions {
  /** Path of the recipe until it is published. */
  readonly recipe: string;
  readonly packs: LayerPacks;
}

async function ingestOnce(
  parts: IngestParts,
  options: IngestLayerOptions,
  { isProvenLater }: ProofOptions,
): Promise<IngestOutcome> {
  const { core, index, recipes } = parts;
  const { digest, path, signal, packOwner: owner } = options;
  const recipe = recipes.temporary(digest);
  const packs = new LayerPacks({ index, packs: parts.packs, owner });
  const onProgress = (done: number) => options.onProgress?.('recipe', done);
  try {
    const layer = { digest, path, recipe, isProvenLater, signal, onProgress };
    const taken = await takeApart({ core, index, packs }, layer);
    if (taken.kind !== 'taken') return taken;
    return await new LayerIngest(parts, { ...options, recipe, packs }, taken).commit();
  } finally {
    await recipes.discard(recipe);
    // Else the next append does it.
    await packs.cut().catch(() => undefined);
  }
}

/** A layer that was taken apart, on its way into packs and index. */
class LayerIngest {
  readonly #parts: IngestParts;
  readonly #options: LayerOptions;
  /** Where its recipe is now. */
  #recipe: string;
  readonly #ingested: IngestedLayer;
  /** Files that were packed meanwhile, until a commit has failed: then they do not count. */
  #packed: NewFiles | undefined;
  readonly #known: KnownPlaces;

  constructor(parts: IngestParts, options: LayerOptions, { pack, value }: TakenApart) {
    this.#parts = parts;
    this.#options = options;
    this.#recipe = options.recipe;
    this.#ingested = value;
    const { packed } = value;
    if (packed !== undefined && packed.files.length > 0) {
      this.#packed = newFiles({ pack, value: packed });
    }
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

  /** Puts what is still new into a pack, and makes the layer from all that there is. */
  async #packAndProve(ids: Uint8Array): Promise<{
    readonly appended: readonly NewFiles[];
    readonly located: LocatedFiles;
    readonly restoreSeconds: number;
  }> {
    const layer = new LocatedLayer(ids, await this.#parts.index.locate(ids));
    const appended: NewFiles[] = [];
    const place = (files: NewFiles): void => {
      layer.addPacked(files.pack, files.numbers, files.places);
      appended.push(files);
    };
    const packed = this.#packed;
    this.#packed = undefined;
    if (packed !== undefined) place(packed);
    if (layer.missing.length > 0) place(await this.#pack(layer.missing, packed?.pack));
    const located = layer.finish();
    const { digest, signal } = this.#options;
    const onProgress = (done: number) => this.#options.onProgress?.('proof', done);
    const proof = { digest, recipe: this.#recipe, located, signal, onProgress };
    return { appended, located, restoreSeconds: await proveLayer(this.#parts, proof) };
  }

  /** Packs files in a pass over the layer; `behind` others in that pack, if they are there. */
  async #pack(files: Uint32Array, behind: number | undefined): Promise<NewFiles> {
    const { core } = this.#parts;
    const { path, packs, signal } = this.#options;
    const recipe = this.#recipe;
    const onProgress = (done: number) => this.#options.onProgress?.('files', done);
    const append = (pack: string) =>
      core.packFiles(path, { recipe, pack, files, signal, onProgress });
    return newFiles(
      behind === undefined ? await packs.append(append) : await packs.appendBehind(behind, append),
    );
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
}
