// Files that the WebAssembly core writes, with errors as the addon's.

import { CoreFileError } from './core-file-error.ts';
import type { ByteSink, ByteSource, CoreFiles } from './core-files.ts';
import { Input, readFully } from './open-input.ts';

/** A file that is written from where it ends. */
export class Output {
  readonly #path: string;
  readonly #sink: ByteSink;
  #size: number;

  constructor(path: string, sink: ByteSink, size: number) {
    this.#path = path;
    this.#sink = sink;
    this.#size = size;
  }

  /** Its bytes up to now. */
  get size(): number {
    return this.#size;
  }

  /** Appends bytes, all of them. */
  async write(bytes: Uint8Array): Promise<void> {
    if (bytes.length === 0) return;
    await this.#try('write', () => this.#sink.write(bytes, this.#size));
    this.#size += bytes.length;
  }

  /** Resolves once the bytes are on the disk. */
  async sync(): Promise<void> {
    await this.#try('sync', () => this.#sink.sync());
  }

  async close(): Promise<void> {
    await this.#try('close', () => this.#sink.close());
  }

  async #try(action: 'close' | 'sync' | 'write', act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (cause) {
      throw new CoreFileError({ action, file: this.#path, offset: this.#size }, cause);
    }
  }
}

/** An empty file; one that is there already is emptied. */
export async function createOutput(files: CoreFiles, path: string): Promise<Output> {
  try {
    return new Output(path, await files.createSink(path), 0);
  } catch (cause) {
    throw new CoreFileError({ action: 'create', file: path }, cause);
  }
}

/** A file that may be there already, at its end, with as many of its first bytes as it has. */
export class AppendedOutput {
  readonly output: Output;
  readonly front: Uint8Array;

  constructor(output: Output, front: Uint8Array) {
    this.output = output;
    this.front = front;
  }

  close(): Promise<void> {
    return this.output.close();
  }
}

/** @param frontLength Most bytes of the front. */
export async function appendOutput(
  files: CoreFiles,
  path: string,
  frontLength: number,
): Promise<AppendedOutput> {
  const file = await openSink(files, path);
  try {
    const source = new Input(path, file);
    const size = await source.size();
    const front = await readFully(source, 0, Math.min(size, frontLength));
    return new AppendedOutput(new Output(path, file, size), front);
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function openSink(files: CoreFiles, path: string): Promise<ByteSink & ByteSource> {
  try {
    return await files.openSink(path);
  } catch (cause) {
    throw new CoreFileError({ action: 'open', file: path }, cause);
  }
}
