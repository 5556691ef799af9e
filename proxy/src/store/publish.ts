// Moves finished files to the names under which they are visible, durably.

import type { Digest } from '../oci/digest.ts';
import type { Files } from '../runtime/runtime.ts';
import type { BlobPaths } from './blob-paths.ts';
import { hasCode } from './file-error.ts';

/** Publishes blobs: file first, then its name, then the names of new folders, all synced. */
export class Publisher {
  readonly #paths: BlobPaths;
  readonly #files: Files;
  /** Folders that are known to be there and durable. At most 512 names: two algorithms, 256 each. */
  readonly #folders: Set<string> = new Set();

  constructor(paths: BlobPaths, files: Files) {
    this.#paths = paths;
    this.#files = files;
  }

  /** Gives a file, whose bytes were synced, the name of the blob. Replaces one that is there. */
  async publish(from: string, digest: Digest): Promise<void> {
    const folder = this.#paths.folderOf(digest);
    await this.#makeFolder(folder);
    try {
      await this.#files.rename(from, this.#paths.blob(digest));
    } catch (error) {
      if (!hasCode(error, 'ENOENT') || !this.#folders.delete(folder)) throw error;
      // Somebody removed the empty folder since it was made.
      await this.#makeFolder(folder);
      await this.#files.rename(from, this.#paths.blob(digest));
    }
    await Promise.all([
      this.#files.syncDirectory(folder),
      this.#files.syncDirectory(this.#paths.fills),
    ]);
  }

  async #makeFolder(folder: string): Promise<void> {
    if (this.#folders.has(folder)) return;
    await this.#files.makeDirectory(folder);
    await this.#files.syncDirectory(folder.slice(0, folder.lastIndexOf('/')));
    await this.#files.syncDirectory(this.#paths.blobs);
    this.#folders.add(folder);
  }
}
