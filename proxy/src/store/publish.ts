// Moves finished files to the digests' names under which they are visible, durably.

import type { Digest } from '../oci/digest.ts';
import type { Files } from '../runtime/runtime.ts';
import type { DigestFolder } from './digest-folder.ts';
import { hasCode } from './file-error.ts';

/** Publishes files: the file first, then its name, then the names of new folders, all synced. */
export class Publisher {
  readonly #to: DigestFolder;
  readonly #from: string;
  readonly #files: Files;
  /** Folders that are known to be there and durable. At most 512 names: two algorithms, 256 each. */
  readonly #folders: Set<string> = new Set();

  /** @param from The folder in which the files are made. */
  constructor(from: string, to: DigestFolder, files: Files) {
    this.#from = from;
    this.#to = to;
    this.#files = files;
  }

  /** Gives a file, whose bytes were synced, the digest's name. Replaces one that is there. */
  async publish(from: string, digest: Digest): Promise<void> {
    const folder = this.#to.folderOf(digest);
    await this.#makeFolder(folder);
    try {
      await this.#files.rename(from, this.#to.path(digest));
    } catch (error) {
      if (!hasCode(error, 'ENOENT') || !this.#folders.delete(folder)) throw error;
      // Somebody removed the empty folder since it was made.
      await this.#makeFolder(folder);
      await this.#files.rename(from, this.#to.path(digest));
    }
    await Promise.all([this.#files.syncDirectory(folder), this.#files.syncDirectory(this.#from)]);
  }

  async #makeFolder(folder: string): Promise<void> {
    if (this.#folders.has(folder)) return;
    await this.#files.makeDirectory(folder);
    await this.#files.syncDirectory(folder.slice(0, folder.lastIndexOf('/')));
    await this.#files.syncDirectory(this.#to.root);
    this.#folders.add(folder);
  }
}
