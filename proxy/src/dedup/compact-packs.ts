// Gives back the room of packs that hold little of use: what is live in them is copied into a new pack, and
// they are removed.
//
// Files are copied out of a layer that has them: its whole copy, or the layer made again in a file for
// the time. So what is copied is checked by the layer's digests on the way, and again by the files' ids.
// Data goes first: the copies are synced before the index says that the files have moved.
//
// A layer is damaged only if what was read of it is wrong. What cannot be read or written now ends the
// compaction; the packs stay as they are, for the next one.

import { type Core, FILE_ID_SIZE, isCoreError, type PackedFiles, PLACE_SIZE } from 'mica-core/core';
import type { Digest } from '../oci/digest.ts';
import type { Files } from '../runtime/runtime.ts';
import type { BlobPaths } from '../store/blob-paths.ts';
import type { FileIndex } from './file-index.ts';
import { nameAt } from './file-names.ts';
import type { PackStore } from './pack-store.ts';
import type { RecipeStore } from './recipe-store.ts';
import { isFoundWrong, NoRecipeError, type Restorations } from './restorations.ts';

/** Packs with less than this share of live bytes are copied: at most twice the room that is needed is taken. */
const MIN_LIVE_RATIO = 0.5;

/** Plain bytes under which a pack is left alone: copying would give back less than a layer takes. */
const MIN_DEAD_SIZE = 1024 * 1024;

/** Codes of the core that speak of the pack that is appended to: no pack is read by packFiles(). */
const TARGET_FAULT = /^PACK_/;

export interface CompactPacksOptions {
  readonly core: Core;
  readonly index: FileIndex;
  readonly packs: PackStore;
  readonly recipes: RecipeStore;
  readonly restorations: Restorations;
  readonly files: Files;
  readonly paths: BlobPaths;
  /** Plain bytes of dead files that make a pack worth copying; for tests. */
  readonly minDeadSize?: number;
  /** Ends it; what was copied until then stays. */
  readonly signal?: AbortSignal | undefined;
  /** A layer turned out to be damaged. */
  onDamaged(digest: Digest, error: unknown): Promise<void>;
}

/** Copies the live files of such packs; gives how many. `collectPacks` removes what is empty then. */
export async function compactPacks(options: CompactPacksOptions): Promise<number> {
  const { index, minDeadSize = MIN_DEAD_SIZE } = options;
  const compaction = new Compaction(options);
  for await (const { number, plainSize, liveSize } of index.listPacks()) {
    const isSparse = liveSize < plainSize * MIN_LIVE_RATIO && plainSize - liveSize >= minDeadSize;
    if (isSparse && liveSize > 0) await compaction.add(number);
  }
  return await compaction.run();
}

/** Files that were copied into a pack. */
interface Copies {
  readonly target: number;
  readonly packed: PackedFiles;
}

class Compaction {
  readonly #options: CompactPacksOptions;
  /** Files that are still to be copied, and the pack of each. */
  readonly #live: Map<string, number> = new Map();
  /** One that no other compaction, now or before, appends to. */
  readonly #owner = `compact ${crypto.randomUUID()}`;
  /** The pack that they are copied into. */
  #target: number | undefined;
  #copied = 0;

  constructor(options: CompactPacksOptions) {
    this.#options = options;
  }

  /** Takes on a pack; nothing is appended to it any more. */
  async add(pack: number): Promise<void> {
    const { index } = this.#options;
    await index.sealPack(pack);
    const ids = await index.filesIn(pack);
    for (let number = 0; number * FILE_ID_SIZE < ids.length; number += 1) {
      this.#live.set(nameAt(ids, number), pack);
    }
  }

  /** Rejects with the system's errors, and the index's. */
  async run(): Promise<number> {
    if (this.#live.size === 0) return 0;
    const { index } = this.#options;
    try {
      for await (const { digest, kind } of index.listLayers()) {
        if (this.#live.size === 0) break;
        this.#options.signal?.throwIfAborted();
        if (kind === 'recipe') await this.#copyFrom(digest);
      }
    } catch (error) {
      // What ended the copying is what there is to tell; who owns no pack appends to none.
      await this.#endTarget().catch(() => undefined);
      throw error;
    }
    await this.#endTarget();
    return this.#copied;
  }

  /** Nothing more is appended to it; one that has got nothing goes. */
  async #endTarget(): Promise<void> {
    const { index, packs } = this.#options;
    if (this.#target === undefined) return;
    await index.sealPack(this.#target);
    if ((await index.getPack(this.#target))?.size !== 0) return;
    if (await index.removePack(this.#target)) await packs.remove(this.#target);
  }

  /** Copies what a layer has of the files; a damaged layer is told of and passed over. */
  async #copyFrom(digest: Digest): Promise<void> {
    const { core, recipes } = this.#options;
    const recipe = recipes.path(digest);
    const read = await this.#orDamaged(digest, async () => {
      return { ids: await core.fileIds(recipe), sizes: await core.fileSizes(recipe) };
    });
    if (read === undefined) return;
    const numbers = this.#wantedOf(read.ids);
    if (numbers.size === 0) return;
    const copies = await this.#pack(digest, Uint32Array.from(numbers.keys()));
    if (copies !== undefined) await this.#move(read.ids, read.sizes, copies, numbers);
  }

  /** What reading a layer gives; undefined when what was read is wrong, and the layer was told of. */
  async #orDamaged<T>(digest: Digest, read: () => Promise<T>): Promise<T | undefined> {
    const { index, onDamaged } = this.#options;
    try {
      return await read();
    } catch (error) {
      if (!isFoundWrong(error) && !(error instanceof NoRecipeError)) throw error;
      // One that was removed meanwhile is not damaged.
      if ((await index.getLayer(digest))?.kind === 'recipe') await onDamaged(digest, error);
      return undefined;
    }
  }

  /** Numbers of files to be copied, ascending, with the packs that they are in. */
  #wantedOf(ids: Uint8Array): Map<number, number> {
    const numbers = new Map<number, number>();
    const seen = new Set<string>();
    for (let number = 0; number * FILE_ID_SIZE < ids.length; number += 1) {
      const id = nameAt(ids, number);
      const pack = this.#live.get(id);
      if (pack === undefined || seen.has(id)) continue;
      seen.add(id);
      numbers.set(number, pack);
    }
    return numbers;
  }

  /** Undefined when the layer is damaged. */
  async #pack(digest: Digest, wanted: Uint32Array): Promise<Copies | undefined> {
    const { files, paths } = this.#options;
    const whole = paths.blob(digest);
    if ((await files.stat(whole)) !== undefined) {
      // A copy that is gone by now, or wrong, says nothing of what the layer is made of.
      const copies = await this.#append(digest, whole, wanted).catch(passWrong);
      if (copies !== undefined) return copies;
    }
    const temporary = paths.temporary(digest);
    try {
      if (!(await this.#make(digest, temporary))) return undefined;
      return await this.#orDamaged(digest, () => this.#append(digest, temporary, wanted));
    } finally {
      await files.remove(temporary);
    }
  }

  async #move(
    ids: Uint8Array,
    sizes: Uint8Array,
    { target, packed }: Copies,
    from: ReadonlyMap<number, number>,
  ): Promise<void> {
    const { index } = this.#options;
    for (const pack of new Set(from.values())) {
      const chosen = [...packed.files.keys()].filter(
        (at) => from.get(packed.files[at] ?? -1) === pack,
      );
      const to = {
        pack: target,
        packSize: packed.end,
        numbers: Uint32Array.from(chosen, (at) => packed.files[at] ?? 0),
        places: joinPlaces(packed.places, chosen),
      };
      if (await index.moveFiles(pack, ids, sizes, to)) this.#copied += chosen.length;
      for (const number of to.numbers) this.#live.delete(nameAt(ids, number));
    }
  }

  /** Makes a layer again in a file; false when it is damaged. */
  async #make(digest: Digest, path: string): Promise<boolean> {
    const { files, restorations, signal } = this.#options;
    const file = await files.open(path, 'create');
    try {
      const made = await this.#orDamaged(digest, async () => {
        const restoration = await restorations.openAlone(digest);
        try {
          let position = 0;
          for await (const piece of restoration.read({ signal })) {
            await file.write(piece, position);
            position += piece.length;
          }
          return position;
        } finally {
          await restoration.close();
        }
      });
      return made !== undefined;
    } finally {
      await file.close();
    }
  }

  /** Appends files of a layer to the pack for copies. What is wrong with that pack rejects with TargetError. */
  async #append(digest: Digest, layer: string, wanted: Uint32Array): Promise<Copies> {
    const { core, recipes, signal } = this.#options;
    const { number, path: pack } = await this.#prepareTarget();
    const recipe = recipes.path(digest);
    try {
      const packed = await core.packFiles(layer, { recipe, pack, files: wanted, signal });
      return { target: number, packed };
    } catch (error) {
      const isTarget = isCoreError(error) && TARGET_FAULT.test(error.code);
      throw isTarget ? new TargetError(pack, error) : error;
    }
  }

  async #prepareTarget(): Promise<{ readonly number: number; readonly path: string }> {
    const { index, packs } = this.#options;
    const { number, size } = await index.openPack(this.#owner);
    this.#target = number;
    try {
      return { number, path: await packs.prepare(number, size) };
    } catch (error) {
      throw new TargetError(packs.path(number), error);
    }
  }
}

/** Files cannot be appended to the pack that they are copied into. */
class TargetError extends Error {
  override readonly name = 'TargetError';
  readonly code = 'TARGET_PACK';

  constructor(pack: string, cause: unknown) {
    super(`nothing can be appended to ${pack}`, { cause });
  }
}

function passWrong(error: unknown): undefined {
  if (!isFoundWrong(error)) throw error;
}

function joinPlaces(places: Uint8Array, chosen: readonly number[]): Uint8Array {
  const joined = new Uint8Array(chosen.length * PLACE_SIZE);
  chosen.forEach((at, index) => {
    joined.set(places.subarray(at * PLACE_SIZE, (at + 1) * PLACE_SIZE), index * PLACE_SIZE);
  });
  return joined;
}
