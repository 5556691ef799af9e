// Folders on the disk: what they take, copies of them, and how the system's cache is emptied of them.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { runProgram } from 'mica-core/streams/program';

/** Bytes that a folder takes on the disk, by du(1). */
export async function measureFolder(folder: string): Promise<number> {
  const text = await runProgram([
    'du',
    '--dereference-args',
    '--summarize',
    '--block-size=1',
    folder,
  ]);
  return Number(text.split('\t')[0]);
}

/** Copies a folder; where the file system can, the copy shares the blocks. */
export async function copyFolder(source: string, target: string): Promise<void> {
  await runProgram(['cp', '--archive', '--reflink=auto', '--sparse=always', source, target]);
}

/** Takes all files of a folder out of the system's cache, by `posix_fadvise`. Nobody may write to them. */
export async function forgetFolder(folder: string): Promise<void> {
  // What was not written yet cannot be forgotten.
  await runProgram(['sync', '--file-system', folder]);
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  for (const entry of entries.filter((one) => one.isFile())) {
    const file = join(entry.parentPath, entry.name);
    await runProgram(['dd', `if=${file}`, 'iflag=nocache', 'count=0', 'status=none']);
  }
}
