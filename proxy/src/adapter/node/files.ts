// The file system through node:fs/promises. All that is made belongs to the owner alone, since the
// data folder holds content that only some clients may see.

import {
  type FileHandle,
  link,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rmdir,
  stat,
  statfs,
  unlink,
} from 'node:fs/promises';
import type { DiskSpace, FileStatus, Files, OpenFile } from '../../runtime/runtime.ts';

const FILE_MODE = 0o600;
const DIRECTORY_MODE = 0o700;

/** Unit of `blocks` in stat(2), in bytes: https://man7.org/linux/man-pages/man3/stat.3type.html */
const STAT_BLOCK_SIZE = 512;

/** Flags of open(2); `update` has no flag of its own because `a` would ignore positions. */
const FLAGS: Readonly<Record<'read' | 'create', string>> = { read: 'r', create: 'w+' };

/** A file that is open through a FileHandle. */
class NodeFile implements OpenFile {
  readonly #handle: FileHandle;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    const { bytesRead } = await this.#handle.read(into, 0, into.length, position);
    return bytesRead;
  }

  async write(bytes: Uint8Array, position: number): Promise<void> {
    let written = 0;
    while (written < bytes.length) {
      const rest = bytes.length - written;
      const result = await this.#handle.write(bytes, written, rest, position + written);
      written += result.bytesWritten;
    }
  }

  async size(): Promise<number> {
    return (await this.#handle.stat()).size;
  }

  async truncate(size: number): Promise<void> {
    await this.#handle.truncate(size);
  }

  async sync(): Promise<void> {
    await this.#handle.sync();
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}

/** Whether an error carries the POSIX code. */
function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

/** Opens for reading and writing and makes the file if it is absent, without emptying it. */
async function openForUpdate(path: string): Promise<FileHandle> {
  for (;;) {
    try {
      return await open(path, 'r+');
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) throw error;
    }
    try {
      return await open(path, 'wx+', FILE_MODE);
    } catch (error) {
      // Somebody made it in between: the next round opens it.
      if (!hasCode(error, 'EEXIST')) throw error;
    }
  }
}

async function openFile(path: string, mode: 'read' | 'create' | 'update'): Promise<OpenFile> {
  if (mode === 'update') return new NodeFile(await openForUpdate(path));
  return new NodeFile(await open(path, FLAGS[mode], FILE_MODE));
}

async function statFile(path: string): Promise<FileStatus | undefined> {
  try {
    const found = await stat(path);
    const other = found.isDirectory() ? 'directory' : 'other';
    return {
      kind: found.isFile() ? 'file' : other,
      size: found.size,
      allocated: found.blocks * STAT_BLOCK_SIZE,
      modifiedMs: found.mtimeMs,
    };
  } catch (error) {
    if (hasCode(error, 'ENOENT') || hasCode(error, 'ENOTDIR')) return undefined;
    throw error;
  }
}

async function removeFile(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
  }
}

async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function space(path: string): Promise<DiskSpace> {
  const found = await statfs(path);
  return { size: found.blocks * found.bsize, free: found.bavail * found.bsize };
}

export const nodeFiles: Files = {
  open: openFile,
  stat: statFile,
  list: (path) => readdir(path),
  makeDirectory: async (path) => {
    await mkdir(path, { recursive: true, mode: DIRECTORY_MODE });
  },
  link,
  rename,
  remove: removeFile,
  removeDirectory: rmdir,
  syncDirectory,
  readText: (path) => readFile(path, 'utf8'),
  space,
};
