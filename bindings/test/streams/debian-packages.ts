// Files of Debian packages, without an installation: no scripts run and no root is needed.

import { mkdir, readdir, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { CACHE_FOLDER, keyOf, makeOnce } from './cache.ts';
import { runProgram } from './program.ts';

/** 2023-11-14T22:13:20Z, in seconds since 1970. */
const FOLDER_MTIME = 1_700_000_000;

/** Puts the files of `packages`, which `apt-get` knows, below `folder`. */
export async function unpackPackages(packages: readonly string[], folder: string): Promise<void> {
  for (const file of await downloadPackages(packages)) {
    await runProgram(['dpkg-deb', '--extract', file, folder]);
  }
  await setFolderTimes(folder);
}

/** A folder with symbolic links has the time of their making; files have their package's time. */
async function setFolderTimes(folder: string): Promise<void> {
  const items = await readdir(folder, { withFileTypes: true, recursive: true });
  for (const item of items) {
    if (!item.isDirectory()) continue;
    await utimes(join(item.parentPath, item.name), FOLDER_MTIME, FOLDER_MTIME);
  }
}

/** Paths of the packages' files, in order of their names. */
export async function downloadPackages(packages: readonly string[]): Promise<readonly string[]> {
  const path = join(CACHE_FOLDER, 'packages', keyOf(packages));
  await makeOnce(path, async (part) => {
    await mkdir(part);
    const download = (): Promise<string> =>
      runProgram(['apt-get', 'download', '-qq', ...packages], { folder: part });
    // The first time fails on a machine that has no or only an old list of packages.
    await download().catch(async () => {
      await runProgram(['apt-get', 'update', '-qq']);
      await download();
    });
  });
  const names = (await readdir(path)).filter((name) => name.endsWith('.deb'));
  return names.sort().map((name) => join(path, name));
}
