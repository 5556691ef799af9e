// One thing that every core does. Checks are no tests of ava's, so that Deno can run them too.

import { deepStrictEqual, rejects, throws } from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Core, isCoreError } from '../../src/core.ts';

export interface Check {
  readonly title: string;
  /** Rejects when the core does something else. */
  run(core: Core): Promise<void>;
}

/** A check that works in a folder of its own. */
export function inFolder(
  title: string,
  body: (core: Core, folder: string) => Promise<void>,
): Check {
  return {
    title,
    async run(core) {
      const folder = await mkdtemp(join(tmpdir(), 'mica-core-'));
      try {
        await body(core, folder);
      } finally {
        await rm(folder, { recursive: true });
      }
    },
  };
}

/** What an error is expected to tell; absent numbers have to be absent. */
export interface ExpectedError {
  readonly code: string;
  readonly offset?: number;
  readonly got?: number;
  readonly expected?: number;
  /** Whether it has a cause. */
  readonly hasCause?: boolean;
}

function isExpected(error: unknown, expected: ExpectedError): true {
  if (!isCoreError(error)) throw new Error('not an error of the core', { cause: error });
  const { code, offset, got, expected: wanted, cause } = error;
  const shown = { code, offset, got, expected: wanted, hasCause: cause instanceof Error };
  const absent = { offset: undefined, got: undefined, expected: undefined, hasCause: false };
  deepStrictEqual(shown, { ...absent, ...expected });
  return true;
}

export function throwsCoreError(act: () => unknown, expected: ExpectedError): void {
  throws(act, (error) => isExpected(error, expected));
}

export async function rejectsCoreError(
  promise: Promise<unknown>,
  expected: ExpectedError,
): Promise<void> {
  await rejects(promise, (error) => isExpected(error, expected));
}
