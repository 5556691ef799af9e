// Files that the WebAssembly core reads, with errors as the addon's.

import type { FileReference } from './core.ts';
import { CoreFileError } from './core-file-error.ts';
import type { ByteSource, CoreFiles } from './core-files.ts';
import { usingFile } from './using-file.ts';

export class Input implements ByteSource {
  readonly #file: FileReference;
  readonly #source: ByteSource;

  constructor(file: FileReference, source: ByteSource) {
    this.#file = file;
    this.#source = source;
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    try {
      return await this.#source.read(into, position);
    } catch (cause) {
      throw new CoreFileError({ action: 'read', file: this.#file, offset: position }, cause);
    }
  }

  async size(): Promise<number> {
    try {
      return await this.#source.size();
    } catch (cause) {
      throw new CoreFileError({ action: 'stat', file: this.#file }, cause);
    }
  }

  close(): Promise<void> {
    return this.#source.close();
  }
}

/** Reads `length` bytes, or as many as there are. */
export async function readFully(
  source: ByteSource,
  position: number,
  length: number,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length; ) {
    const count = await source.read(bytes.subarray(done), position + done);
    if (count === 0) return bytes.subarray(0, done);
    done += count;
  }
  return bytes;
}

/** Reads a whole file. */
export function readInput(files: CoreFiles, file: FileReference): Promise<Uint8Array> {
  return usingFile(openInput(files, file), async (source) =>
    readFully(source, 0, await source.size()),
  );
}

/** Opens a file; its errors are {@link CoreFileError}s. */
export async function openInput(files: CoreFiles, file: FileReference): Promise<ByteSource> {
  try {
    return new Input(file, await files.openSource(file));
  } catch (cause) {
    throw new CoreFileError({ action: 'open', file }, cause);
  }
}
