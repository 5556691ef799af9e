// Files for the WebAssembly core by node:fs, which Deno has too.

import { close, constants, fstat, fsync, open, read, write } from 'node:fs';
import { promisify } from 'node:util';
import type { FileReference } from './core.ts';
import type { ByteSink, ByteSource, CoreFiles } from './core-files.ts';

const openFile = promisify(open);
const closeFile = promisify(close);
const readFile = promisify(read);
const writeFile = promisify(write);
const statFile = promisify(fstat);
const syncFile = promisify(fsync);

class NodeFile implements ByteSource, ByteSink {
  readonly #descriptor: number;
  readonly #isOwn: boolean;

  constructor(descriptor: number, isOwn: boolean) {
    this.#descriptor = descriptor;
    this.#isOwn = isOwn;
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    const { bytesRead } = await readFile(this.#descriptor, into, 0, into.length, position);
    return bytesRead;
  }

  async write(bytes: Uint8Array, position: number): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      const rest = bytes.length - done;
      const at = position + done;
      const { bytesWritten } = await writeFile(this.#descriptor, bytes, done, rest, at);
      done += bytesWritten;
    }
  }

  async size(): Promise<number> {
    return (await statFile(this.#descriptor)).size;
  }

  sync(): Promise<void> {
    return syncFile(this.#descriptor);
  }

  async close(): Promise<void> {
    if (this.#isOwn) await closeFile(this.#descriptor);
  }
}

export const nodeFiles: CoreFiles = {
  async openSource(file: FileReference): Promise<ByteSource> {
    if (typeof file === 'string') return new NodeFile(await openFile(file, 'r'), true);
    // Fails now, as opening would, when the number is no open descriptor.
    await statFile(file);
    return new NodeFile(file, false);
  },

  async createSink(path: string): Promise<ByteSink> {
    return new NodeFile(await openFile(path, 'w'), true);
  },

  async openSink(path: string): Promise<ByteSink & ByteSource> {
    // Not to append: that would write at the end whatever the position.
    return new NodeFile(await openFile(path, constants.O_RDWR | constants.O_CREAT), true);
  },
};
