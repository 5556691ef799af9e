// Installs what the streams are made with and the machine lacks. What cannot be had is named, and
// compressors that need it are left out. Run: `node bindings/dist/test/streams/install.js`.

import { pathToFileURL } from 'node:url';
import { findProgram, runProgram } from './program.ts';
import { buildPrograms } from './programs.ts';

/** Program -> Debian package that has it. */
const DEBIAN_PROGRAMS: Readonly<Record<string, string>> = {
  pigz: 'pigz',
  igzip: 'isal',
  zstd: 'zstd',
  mmdebstrap: 'mmdebstrap',
};

/** What could not be installed, as lines for a reader. */
export async function installStreamPrograms(): Promise<readonly string[]> {
  return [...(await installPackages()), ...(await buildPrograms())];
}

async function installPackages(): Promise<readonly string[]> {
  const missing = Object.entries(DEBIAN_PROGRAMS).filter(([name]) => !findProgram(name));
  if (missing.length === 0) return [];
  const packages = missing.map(([, name]) => name);
  if (process.getuid?.() !== 0)
    return packages.map((name) => `${name}: needs root to be installed`);
  const environment = { DEBIAN_FRONTEND: 'noninteractive' };
  const install = ['apt-get', 'install', '-y', '-qq', '--no-install-recommends'];
  const problems: string[] = [];
  await runProgram(['apt-get', 'update', '-qq'], { environment });
  // One package that cannot be had must not take the others with it.
  for (const name of packages) {
    await runProgram([...install, name], { environment }).catch((error: unknown) => {
      problems.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    });
  }
  return problems;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  for (const problem of await installStreamPrograms()) console.log(`not installed: ${problem}`);
}
