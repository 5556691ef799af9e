// Files of Debian packages, without an installation: no scripts run and no root is needed.

import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { CACHE_FOLDER, keyOf, makeOnce } from './cache.ts';
import { runProgram } from './program.ts';

/** Puts the files of `packages`, which `apt-get` knows, below `folder`. */
export async function unpackPackages(packages: readonly string[], folder: string): Promise<void> {
  for (const file of await downloadPackages(packages)) {
    await runProgram(['dpkg-deb', '--extract', file, folder]);
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
