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

/** Versions of those that are there. */
export function findCorpusTools(): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(versionArguments).flatMap(([name, argument]) => {
      const program = findProgram(name);
      return program === undefined ? [] : [[name, readVersion(program, argument)]];
    }),
  );
}

function readVersion(program: string, argument: string): string {
  const { stdout } = spawnSync(program, [argument], { encoding: 'utf8' });
  return /\d+\.\d+(\.\d+)?/.exec(stdout)?.[0] ?? 'of unknown version';
}
