// Which flavour is loaded, and what is said when one cannot be. Copies of the built code stand in
// for installations that lack one.

import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import type { CoreChoice } from '../../src/core-choice.ts';
import type { LoadedCore } from '../../src/load-core.ts';
import { nodeFiles } from '../../src/node-files.ts';

const DIST = fileURLToPath(new URL('../../', import.meta.url));

type Load = (choice: CoreChoice) => Promise<LoadedCore>;

/** The loader of an installation that has the named artifacts only. */
async function install(t: ExecutionContext, artifacts: readonly string[]): Promise<Load> {
  const folder = await mkdtemp(join(tmpdir(), 'mica-core-'));
  t.teardown(() => rm(folder, { recursive: true }));
  await cp(join(DIST, '../package.json'), join(folder, 'package.json'));
  for (const name of ['src', ...artifacts])
    await cp(join(DIST, name), join(folder, 'dist', name), { recursive: true });
  const { loadCore } = await import(pathToFileURL(join(folder, 'dist/src/load-core.js')).href);
  return (choice) => loadCore({ choice, files: nodeFiles });
}

test('auto and native load the native core', async (t) => {
  const load = await install(t, ['native']);
  for (const choice of ['auto', 'native'] as const) {
    const { core, nativeError } = await load(choice);
    t.is(core.flavour, 'native');
    t.is(nativeError, undefined);
  }
});

test('native rejects with what to do', async (t) => {
  const load = await install(t, []);
  const error = await t.throwsAsync(load('native'), {
    name: 'LoadCoreError',
    code: 'CORE_NOT_LOADED',
    message: /native\/mica-core\.node: Cannot find module .*`npm run setup` builds it/s,
  });
  t.true(error?.cause instanceof Error);
});

test('wasm rejects with what to do', async (t) => {
  const load = await install(t, []);
  const message = /cannot load the wasm core .*`npm run setup:wasm` builds it/s;
  const error = await t.throwsAsync(load('wasm'), { code: 'CORE_NOT_LOADED', message });
  t.true(error?.cause instanceof Error);
});

test('auto tells about both when neither loads', async (t) => {
  const load = await install(t, []);
  const error = await t.throwsAsync(load('auto'), { instanceOf: AggregateError });
  t.regex(error?.message ?? '', /the native core .*\n.*the wasm core /s);
  t.is(error?.errors.length, 2);
});
