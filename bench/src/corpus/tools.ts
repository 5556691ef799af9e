// What the corpus is built with, with versions.
import { spawnSync } from 'node:child_process';
import { findProgram } from '../peers/find-program.ts';

const versionArguments = {
  dockerd: '--version',
  buildah: '--version',
  crane: 'version',
  registry: '--version',
  mmdebstrap: '--version',
} as const;

/** Versions, null for what is not there. */
export function findCorpusTools(): Readonly<Record<string, string | null>> {
  return Object.fromEntries(
    Object.entries(versionArguments).map(([name, argument]) => [name, readVersion(name, argument)]),
  );
}

function readVersion(name: string, argument: string): string | null {
  const program = findProgram(name);
  if (program === undefined) {
    return null;
  }
  const { stdout } = spawnSync(program, [argument], { encoding: 'utf8' });
  return /\d+\.\d+(\.\d+)?/.exec(stdout)?.[0] ?? 'of unknown version';
}
