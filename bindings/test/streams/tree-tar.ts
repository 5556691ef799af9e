// Tars of a folder's files that are always the same for the same files.

import { lstat, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { runProgram } from './program.ts';

/** Files next to each other are alike, as in a real layer: so samples are runs of that many. */
const RUN_LENGTH = 8;

/** Files larger than that part of a sample would fill it alone. */
const MAX_SAMPLE_RATIO = 0.25;

/** Bytes that a file costs in a tar beside its content, about: a header and padding. */
const ENTRY_OVERHEAD = 768;

export interface TreeEntry {
  /** Path below the root, with `/`. */
  readonly path: string;
  readonly isFolder: boolean;
  /** Bytes of content, 0 for what is no regular file. */
  readonly size: number;
}

export interface TarOptions {
  readonly format: 'gnu' | 'pax' | 'ustar';
  /** Seconds since 1970 for all entries; without it each has its own. */
  readonly mtime?: number;
}

/** All that is below `root`, each folder before what is in it, in order of names. */
export async function listTree(root: string, below = ''): Promise<readonly TreeEntry[]> {
  const items = await readdir(join(root, below), { withFileTypes: true });
  const entries: TreeEntry[] = [];
  for (const item of items.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = below === '' ? item.name : `${below}/${item.name}`;
    const isFolder = item.isDirectory();
    const size = item.isFile() ? (await lstat(join(root, path))).size : 0;
    entries.push({ path, isFolder, size });
    if (isFolder) entries.push(...(await listTree(root, path)));
  }
  return entries;
}

/** A sample from all over the tree whose tar has about `size` bytes, with the folders it needs. */
export function sampleTree(entries: readonly TreeEntry[], size: number): readonly TreeEntry[] {
  const files = entries.filter((entry) => !entry.isFolder && entry.size <= size * MAX_SAMPLE_RATIO);
  const total = files.reduce((sum, entry) => sum + tarSize(entry), 0);
  const step = Math.max(1, Math.ceil(total / size));
  const chosen = new Set(
    files.filter((_, index) => Math.floor(index / RUN_LENGTH) % step === 0).map(({ path }) => path),
  );
  for (const path of [...chosen]) {
    for (let up = dirname(path); up !== '.'; up = dirname(up)) chosen.add(up);
  }
  return entries.filter(({ path }) => chosen.has(path));
}

function tarSize(entry: TreeEntry): number {
  return entry.size + ENTRY_OVERHEAD;
}

/** Writes the entries, in their order, to the tar `target`. */
export async function writeTar(
  root: string,
  entries: readonly TreeEntry[],
  options: TarOptions,
  target: string,
): Promise<void> {
  const list = `${target}-list`;
  await writeFile(list, entries.map(({ path }) => `${path}\0`).join(''));
  const names = ['--no-recursion', '--null', '--verbatim-files-from', `--files-from=${list}`];
  const owner = ['--owner=0', '--group=0', '--numeric-owner', '--mode=u+rw,go=rX'];
  try {
    await runProgram([
      ...['tar', '--create', `--file=${target}`, `--directory=${root}`],
      ...[`--format=${options.format}`, ...owner, ...timeOptions(options), ...names],
    ]);
  } finally {
    await rm(list, { force: true });
  }
}

function timeOptions({ format, mtime }: TarOptions): readonly string[] {
  // Without the process id and the times that differ each time.
  const pax = ['--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime'];
  return [...(format === 'pax' ? pax : []), ...(mtime === undefined ? [] : [`--mtime=@${mtime}`])];
}
