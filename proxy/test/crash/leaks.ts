// What a data folder takes on the disk, and what in it a collection may give back.

import { readdir, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { runProgram } from '../peers/program.ts';

/** Two days: older than whatever a collection leaves alone as it might still be in use. */
const AGE_SECONDS = 2 * 24 * 60 * 60;

/** Folders of what is stored. The index keeps its pages and uses them again, so it is looked at by itself. */
const STORED = ['blobs', 'recipes', 'packs', 'fills'] as const;

/** Makes all files look as if nobody had written to them for long. */
export async function ageFiles(data: string): Promise<void> {
  const past = Date.now() / 1000 - AGE_SECONDS;
  for (const folder of STORED) {
    const entries = await readdir(join(data, folder), { recursive: true, withFileTypes: true });
    for (const entry of entries) {
      if (entry.isFile()) await utimes(join(entry.parentPath, entry.name), past, past);
    }
  }
}

/** Bytes of a folder as du(1) counts them. */
export async function duOf(path: string): Promise<number> {
  const output = await runProgram(['du', '-s', '--block-size=1', path]);
  return Number.parseInt(output, 10);
}

/** Bytes of what is stored, by the sizes of files: the folders' own blocks are not counted. */
export async function storedSize(data: string): Promise<number> {
  const folders = STORED.map((folder) => join(data, folder));
  const output = await runProgram(['du', '-s', '--apparent-size', '--block-size=1', ...folders]);
  const sizes = output
    .trim()
    .split('\n')
    .map((line) => Number.parseInt(line, 10));
  const own = await runProgram(['find', ...folders, '-type', 'd', '-printf', '%s\\n']);
  const ownSizes = own.trim().split('\n').map(Number);
  return sum(sizes) - sum(ownSizes);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
