// Recipes on the disk: `recipes/<algorithm>/<2 hex>/<hex>`, by the layer's digest.
//
// A recipe is made in `recipes/new/`, synced, and gets its name by a rename, before the index speaks of
// the layer. One that the index does not know was left by a crash: it may be removed or overwritten.
// Beside it is `<hex>.places`, where the layer's files are (known-places.ts), gone whenever the recipe changes.

import type { Digest } from '../oci/digest.ts';
import type { Clock, Files } from '../runtime/runtime.ts';
import { flatName } from '../store/blob-paths.ts';
import { type DigestFile, DigestFolder, listFolder } from '../store/digest-folder.ts';
import { hasCode } from '../store/file-error.ts';
import { Publisher } from '../store/publish.ts';

/** Ends the names of what is kept beside recipes. */
export const PLACES_SUFFIX = '.places';

/** Age at which a recipe that nobody ended is removed, ms: no ingest goes for a day without writing. */
const UNFINISHED_AGE_MS = 24 * 60 * 60 * 1000;

/** Opens the folder of recipes in a data folder, made if absent, and removes what was never ended. */
export async function openRecipeStore(
  folder: string,
  { files, clock }: { readonly files: Files; readonly clock: Pick<Clock, 'now'> },
): Promise<RecipeStore> {
  const root = `${folder}/recipes`;
  const unfinished = `${root}/new`;
  await files.makeDirectory(unfinished);
  await files.syncDirectory(folder);
  await files.syncDirectory(root);
  const store = new RecipeStore(root, unfinished, files);
  await store.removeUnfinished(clock.now() - UNFINISHED_AGE_MS);
  return store;
}

export class RecipeStore {
  readonly #unfinished: string;
  readonly #named: DigestFolder;
  readonly #files: Files;
  readonly #publisher: Publisher;

  /** Use openRecipeStore(). */
  constructor(root: string, unfinished: string, files: Files) {
    this.#unfinished = unfinished;
    this.#named = new DigestFolder(root);
    this.#files = files;
    this.#publisher = new Publisher(unfinished, this.#named, files);
  }

  path(digest: Digest): string {
    return this.#named.path(digest);
  }

  /** A name of its own for a recipe in the making. */
  temporary(digest: Digest): string {
    return `${this.#unfinished}/${flatName(digest)}.${crypto.randomUUID()}`;
  }

  /** Makes a finished recipe durable under its layer's name; replaces one that is there. */
  async publish(from: string, digest: Digest): Promise<void> {
    const file = await this.#files.open(from, 'update');
    try {
      await file.sync();
    } finally {
      await file.close();
    }
    await this.#files.remove(this.#placesPath(digest));
    await this.#publisher.publish(from, digest);
  }

  /** What putPlaces() kept beside a recipe, if it has at most so many bytes. */
  async readPlaces(digest: Digest, maxLength: number): Promise<Uint8Array | undefined> {
    try {
      const file = await this.#files.open(this.#placesPath(digest), 'read');
      try {
        const size = await file.size();
        if (size > maxLength) return undefined;
        const bytes = new Uint8Array(size);
        let length = 0;
        for (let count = -1; count !== 0 && length < size; length += count) {
          count = await file.read(bytes.subarray(length), length);
        }
        return bytes.subarray(0, length);
      } finally {
        await file.close();
      }
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return undefined;
      throw error;
    }
  }

  /** Keeps bytes beside a recipe, whole or not at all. */
  async putPlaces(digest: Digest, bytes: Uint8Array): Promise<void> {
    const made = this.temporary(digest);
    try {
      const file = await this.#files.open(made, 'create');
      try {
        await file.write(bytes, 0);
        await file.sync();
      } finally {
        await file.close();
      }
      await this.#files.rename(made, this.#placesPath(digest));
    } catch (error) {
      await this.#files.remove(made);
      throw error;
    }
  }

  /** Removes a temporary recipe; absent is fine. */
  async discard(temporary: string): Promise<void> {
    await this.#files.remove(temporary);
  }

  /** Removes a recipe; who has it open reads on. */
  async remove(digest: Digest): Promise<void> {
    await this.#files.remove(this.#placesPath(digest));
    await this.#files.remove(this.path(digest));
  }

  /** All recipes under their names, whatever the index knows of them. */
  list(): AsyncGenerator<DigestFile> {
    return this.#named.list(this.#files);
  }

  #placesPath(digest: Digest): string {
    return `${this.path(digest)}${PLACES_SUFFIX}`;
  }

  /** Removes recipes in the making that nobody wrote to since then. */
  async removeUnfinished(beforeMs: number): Promise<void> {
    for (const name of await listFolder(this.#files, this.#unfinished)) {
      const path = `${this.#unfinished}/${name}`;
      const status = await this.#files.stat(path);
      if (status !== undefined && status.modifiedMs < beforeMs) await this.#files.remove(path);
    }
  }
}
