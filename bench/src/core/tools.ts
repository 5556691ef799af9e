// What the core is measured beside, with versions.
import { spawnSync } from 'node:child_process';
import { findProgram } from 'mica-core/streams/program';
import { GO_PROGRAMS } from 'mica-core/streams/programs';
import { preflateVersion } from './preflate.ts';

/** The encoder of most images up to now. */
const oldGo = 'go-1.26';

/** Versions, null for what is not there. */
export function findCoreTools(): Readonly<Record<string, string | null>> {
  return {
    go: GO_PROGRAMS.find(({ name }) => name === oldGo)?.toolchain ?? null,
    pigz: readVersion('pigz'),
    'preflate-rs': findProgram('cargo') === undefined ? null : preflateVersion,
    'node:zlib': process.versions.zlib,
  };
}

function readVersion(name: string): string | null {
  const program = findProgram(name);
  if (program === undefined) {
    return null;
  }
  // pigz writes it to standard output or standard error, as the version has it.
  const { stdout, stderr } = spawnSync(program, ['--version'], { encoding: 'utf8' });
  return `${stdout}${stderr}`.trim().split(' ').at(-1) ?? null;
}
