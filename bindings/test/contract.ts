// What every core does, whatever it is made of and whatever runs it.

import { equal } from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import type { TestFn } from 'ava';
import type { Core } from '../src/core.ts';
import { abortChecks } from './contract/aborts.ts';
import type { Check } from './contract/check.ts';
import { checkPackChecks } from './contract/check-pack.ts';
import { hashFileChecks } from './contract/hash-file.ts';
import { hashChecks } from './contract/hashes.ts';
import { ingestPackChecks } from './contract/ingest-packs.ts';
import { layerChecks } from './contract/layers.ts';
import { packFilesChecks } from './contract/pack-files.ts';
import { restorationChecks } from './contract/restorations.ts';

/** The package's own description, seen from `dist/test`. */
const PACKAGE = new URL('../../package.json', import.meta.url);

const versionCheck: Check = {
  title: "version is the package's",
  async run(core) {
    equal(core.version, JSON.parse(await readFile(PACKAGE, 'utf8')).version);
  },
};

export const coreContract: readonly Check[] = [
  versionCheck,
  ...hashChecks,
  ...hashFileChecks,
  ...layerChecks,
  ...packFilesChecks,
  ...ingestPackChecks,
  ...checkPackChecks,
  ...restorationChecks,
  ...abortChecks,
];

/** Declares the contract's tests for a core that runs where the tests do. */
export function testCore(test: TestFn, core: Core): void {
  for (const check of coreContract)
    test(`${core.flavour}: ${check.title}`, async (t) => {
      await t.notThrowsAsync(check.run(core));
    });
}
