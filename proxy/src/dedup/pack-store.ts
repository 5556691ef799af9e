// Packs on the disk: append-only files that hold unique files, `packs/<number in 8 hex digits>.pack`.
//
// What a pack has is what the index says: bytes behind the size that it knows were left by a crash, and
// are cut off before anything is appended.

import type { Files } from '../runtime/runtime.ts';
import { listFolder } from '../store/digest-folder.ts';
import { openSized } from '../store/open-sized.ts';

const NAME = /^([0-9a-f]{8})\.pack$/;

/** No store ever comes to it: a name with more is not by Mica, and must not use up the numbers. */
const MAX_NUMBER = 2 ** 31;

/** A pack has fewer bytes than were synced into it: the disk lost them. */
export class PackCutError extends Error {
  override readonly name = 'PackCutError';
  readonly code = 'PACK_CUT';
  readonly got: number;
  readonly expected: number;

  constructor(path: string, got: number, expected: number) {
    super(`${path} has ${got} bytes, expected ${expected}`);
    this.got = got;
    this.expected = expected;
  }
}

export interface PackFile {
  readonly number: number;
  readonly size: number;
  /** Bytes that the file takes on the disk. */
  readonly allocated: number;
  readonly modifiedMs: number;
}

/** Opens the folder of packs in a data folder; made if absent. */
export async function openPackStore(folder: string, files: Files): Promise<PackStore> {
  const root = `${folder}/packs`;
  await files.makeDirectory(root);
  await files.syncDirectory(folder);
  return new PackStore(root, files);
}

export class PackStore {
  readonly #root: string;
  readonly #files: Files;

  /** Use openPackStore(). */
  constructor(root: string, files: Files) {
    this.#root = root;
    this.#files = files;
  }

  path(number: number): string {
    return `${this.#root}/${number.toString(16).padStart(8, '0')}.pack`;
  }

  /**
   * Readies a pack for appending and gives its path. `size` is what the index knows of it: what lies
   * behind is cut off. Rejects with PackCutError when the file has less.
   */
  async prepare(number: number, size: number): Promise<string> {
    const path = this.path(number);
    // A pack that is gone is not made anew: its places would lead into nothing.
    if (size > 0 && (await this.#files.stat(path)) === undefined) {
      throw new PackCutError(path, 0, size);
    }
    const { file, size: found } = await openSized(this.#files, path, 'update');
    try {
      if (found < size) throw new PackCutError(path, found, size);
      if (found > size) await file.truncate(size);
    } finally {
      await file.close();
    }
    // The name has to be there before the index speaks of the pack's bytes.
    if (size === 0) await this.#files.syncDirectory(this.#root);
    return path;
  }

  /** Removes a pack's file; who has it open reads on. */
  async remove(number: number): Promise<void> {
    await this.#files.remove(this.path(number));
  }

  /** The highest number of a pack on the disk, 0 if there is none. */
  async highest(): Promise<number> {
    let highest = 0;
    for (const name of await listFolder(this.#files, this.#root)) {
      const number = Number.parseInt(NAME.exec(name)?.[1] ?? '0', 16);
      if (number <= MAX_NUMBER) highest = Math.max(highest, number);
    }
    return highest;
  }

  /** What is on the disk, whatever the index knows of it. */
  async *list(): AsyncGenerator<PackFile> {
    for (const name of await listFolder(this.#files, this.#root)) {
      const digits = NAME.exec(name)?.[1];
      if (digits === undefined) continue;
      const status = await this.#files.stat(`${this.#root}/${name}`);
      if (status?.kind !== 'file') continue;
      const { size, allocated, modifiedMs } = status;
      yield { number: Number.parseInt(digits, 16), size, allocated, modifiedMs };
    }
  }
}
