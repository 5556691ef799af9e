// Gives back the room of packs that hold little of use: what is live in them is copied into a new pack, and
// they are removed.
//
// Files are copied out of a layer that has them: its whole copy, or the layer made again in a file for
// the time. So what is copied is checked by the layer's digests on the way, and again by the files' ids.
// Data goes first: the copies are synced before the index says that the files have moved.

import { type Core, FILE_ID_SIZE, type PackedFiles, PLACE_SIZE } from 'mica-core/core';
import type { Digest } from '../oci/digest.ts';
import type { Files } from '../runtime/runtime.ts';
import type { BlobPaths } from '../store/blob-paths.ts';
import type { FileIndex } from './file-index.ts';
import { nameAt } from './file-names.ts';
import type { PackStore } from './pack-store.ts';
import type { RecipeStore } from './recipe-store.ts';
import { isDamage, type Restorations } from './restorations.ts';

/** Packs with less than this share of live bytes are copied: at most twice the room that is needed is taken. */
const MIN_LIVE_RATIO = 0.5;

/** Plain bytes under which a pack is left alone: copying would give back less than a layer takes. */
const MIN_DEAD_SIZE = 1024 * 1024;

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

  async run(): Promise<number> {
    if (this.#live.size === 0) return 0;
    const { index } = this.#options;
    try {
      for await (const { digest, kind } of index.listLayers()) {
        if (this.#live.size === 0) break;
        this.#options.signal?.throwIfAborted();
        if (kind === 'recipe') await this.#copyFrom(digest);
      }
      return this.#copied;
    } finally {
      if (this.#copied > 0) await index.sealPack((await index.openPack(this.#owner)).number);
    }
  }

  /** Copies what a layer has of the files; a damaged layer is told of and passed over. */
  async #copyFrom(digest: Digest): Promise<void> {
    const { core, recipes, onDamaged } = this.#options;
    const recipe = recipes.path(digest);
    try {
      const ids = await core.fileIds(recipe);
      const numbers = this.#wantedOf(ids);
      if (numbers.size === 0) return;
      const copies = await this.#pack(digest, recipe, Uint32Array.from(numbers.keys()));
      await this.#move(ids, await core.fileSizes(recipe), copies, numbers);
    } catch (error) {
      if (!isDamage(error) || isDiskFull(error)) throw error;
      await onDamaged(digest, error);
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

  async #pack(digest: Digest, recipe: string, files: Uint32Array): Promise<Copies> {
    const { core, index, packs, signal } = this.#options;
    return await this.#withLayer(digest, async (layer) => {
      const target = await index.openPack(this.#owner);
      const pack = await packs.prepare(target.number, target.size);
      return {
        target: target.number,
        packed: await core.packFiles(layer, { recipe, pack, files, signal }),
      };
    });
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

  /** Gives the path of the whole layer: its copy, or a file that is there for the time. */
  async #withLayer<T>(digest: Digest, work: (path: string) => Promise<T>): Promise<T> {
    const { files, paths, restorations, signal } = this.#options;
    const whole = paths.blob(digest);
    if ((await files.stat(whole)) !== undefined) return await work(whole);
    const temporary = paths.temporary(digest);
    try {
      const restoration = await restorations.openAlone(digest);
      const file = await files.open(temporary, 'create');
      try {
        let position = 0;
        for await (const piece of restoration.read({ signal })) {
          await file.write(piece, position);
          position += piece.length;
        }
      } finally {
        await file.close();
        await restoration.close();
      }
      return await work(temporary);
    } finally {
      await files.remove(temporary);
    }
  }
}

function joinPlaces(places: Uint8Array, chosen: readonly number[]): Uint8Array {
  const joined = new Uint8Array(chosen.length * PLACE_SIZE);
  chosen.forEach((at, index) => {
    joined.set(places.subarray(at * PLACE_SIZE, (at + 1) * PLACE_SIZE), index * PLACE_SIZE);
  });
  return joined;
}

function isDiskFull(error: unknown): boolean {
  return (
    error instanceof Error && 'code' in error && ['ENOSPC', 'EDQUOT'].includes(`${error.code}`)
  );
}
