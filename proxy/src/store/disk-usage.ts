// What a folder takes on the disk, as du(1) counts it.

import type { Files } from '../runtime/runtime.ts';
import { listFolder } from './digest-folder.ts';

/** Bytes of all files and folders in it, and its own. What goes meanwhile counts or not. */
export async function measureDisk(files: Files, path: string): Promise<number> {
  const status = await files.stat(path);
  if (status === undefined) return 0;
  let sum = status.allocated;
  if (status.kind !== 'directory') return sum;
  for (const name of await listFolder(files, path)) {
    sum += await measureDisk(files, `${path}/${name}`);
  }
  return sum;
}
