// What the store is measured beside and with, with versions.
import { spawnSync } from 'node:child_process';
import { findDistribution } from '../peers/distribution.ts';
import { findProgram } from '../peers/find-program.ts';
import { findMica } from '../peers/mica.ts';

/** Versions, null for what is not there. */
export function findStorePeers(): Readonly<Record<string, string | null>> {
  return {
    mica: findMica().version,
    distribution: findDistribution()?.version ?? null,
    dockerd: readVersion('dockerd'),
    zstd: readVersion('zstd'),
  };
}

function readVersion(name: string): string | null {
  const program = findProgram(name);
  if (program === undefined) {
    return null;
  }
  const { stdout } = spawnSync(program, ['--version'], { encoding: 'utf8' });
  return /(\d+\.\d+\.\d+)/.exec(stdout)?.[1] ?? 'of unknown version';
}
