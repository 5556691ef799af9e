// Files that are named by digests: `<root>/<algorithm>/<2 hex>/<hex>`, in folders of which none grows
// too large to list.

import { type Digest, digestAlgorithm, digestHex, isDigest } from '../oci/digest.ts';
import type { Files } from '../runtime/runtime.ts';
import { hasCode } from './file-error.ts';

export interface DigestFile {
  readonly digest: Digest;
  readonly size: number;
  /** Bytes that the file takes on the disk. */
  readonly allocated: number;
  readonly modifiedMs: number;
}

export class DigestFolder {
  readonly root: string;

  constructor(root: string) {
    this.root = root;
  }

  path(digest: Digest): string {
    return `${this.folderOf(digest)}/${digestHex(digest)}`;
  }

  /** Folder of a file: one of 256 for each algorithm. */
  folderOf(digest: Digest): string {
    return `${this.root}/${digestAlgorithm(digest)}/${digestHex(digest).slice(0, 2)}`;
  }

  /** All files whose names are digests. */
  async *list(files: Files): AsyncGenerator<DigestFile> {
    for (const algorithm of await listFolder(files, this.root)) {
      for (const prefix of await listFolder(files, `${this.root}/${algorithm}`)) {
        yield* listNamed(files, algorithm, `${this.root}/${algorithm}/${prefix}`);
      }
    }
  }
}

async function* listNamed(
  files: Files,
  algorithm: string,
  folder: string,
): AsyncGenerator<DigestFile> {
  for (const hex of await listFolder(files, folder)) {
    const digest = `${algorithm}:${hex}`;
    if (!isDigest(digest)) continue;
    const status = await files.stat(`${folder}/${hex}`);
    if (status?.kind !== 'file') continue;
    const { size, allocated, modifiedMs } = status;
    yield { digest, size, allocated, modifiedMs };
  }
}

/** Names in a folder; none when it is a file or gone. */
export async function listFolder(files: Files, path: string): Promise<readonly string[]> {
  try {
    return await files.list(path);
  } catch (error) {
    if (hasCode(error, 'ENOENT') || hasCode(error, 'ENOTDIR')) return [];
    throw error;
  }
}
