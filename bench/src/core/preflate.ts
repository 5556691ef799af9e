// preflate-rs, the library for the same job: a program of its own, built when it is first needed.
import { join } from 'node:path';
import { CACHE_FOLDER, PROJECT_FOLDER } from 'mica-core/streams/cache';
import { findProgram, runProgram } from 'mica-core/streams/program';
import type { Times } from '../lib/stopwatch.ts';

export interface PreflateResult {
  readonly analyze: Times;
  readonly recreate: Times;
  /** Bytes. */
  readonly corrections: number;
  /** Bytes of plain text. */
  readonly plain: number;
  readonly isExact: boolean;
}

/** As in `bench/preflate/Cargo.toml`. */
export const preflateVersion = '0.7.6';

const manifest = join(PROJECT_FOLDER, 'bench', 'preflate', 'Cargo.toml');
const target = join(CACHE_FOLDER, '..', 'preflate');

/** Path of the program, built unless it is up to date; undefined without Rust. */
export async function buildPreflate(): Promise<string | undefined> {
  const cargo = findProgram('cargo');
  if (cargo === undefined) {
    return undefined;
  }
  const places = ['--manifest-path', manifest, '--target-dir', target];
  await runProgram([cargo, 'build', '--quiet', '--release', '--locked', ...places]);
  return join(target, 'release', 'mica-bench-preflate');
}

/** Rejects when preflate-rs cannot take the layer apart. */
export async function runPreflate(program: string, layer: string): Promise<PreflateResult> {
  const result: PreflateResult = JSON.parse(await runProgram([program, layer]));
  return result;
}
