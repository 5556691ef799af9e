// What every scenario gets and gives.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Cleanup } from './cleanup.ts';
import type { Aim, Measurements } from './table.ts';

export interface Bench {
  /** Temporary; removed at the end. */
  readonly folder: string;
  readonly cleanup: Cleanup;
  /** Fewer and shorter rounds: to see that everything works, not to measure. */
  readonly isQuick: boolean;
  /** Says what is going on, to standard error. */
  readonly say: (text: string) => void;
}

export interface Outcome {
  /** The figures behind the tables. */
  readonly results: unknown;
  readonly tables: readonly Measurements[];
  readonly aims: readonly Aim[];
  /** Answers that were not what the upstream holds; empty when all was well. */
  readonly wrong: readonly string[];
}

/** A temporary folder that `cleanup` removes. */
export function makeFolder(cleanup: Cleanup): string {
  const folder = mkdtempSync(join(tmpdir(), 'mica-bench-'));
  cleanup.add(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
