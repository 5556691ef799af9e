import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import test from 'ava';
import { loadCore } from '../../src/load-core.ts';
import { nodeFiles } from '../../src/node-files.ts';

const DIST = fileURLToPath(new URL('../../', import.meta.url));

test('wasm loads the WebAssembly core though the native one is there', async (t) => {
  const { core, nativeError } = await loadCore({ choice: 'wasm', files: nodeFiles });
  t.is(core.flavour, 'wasm');
  t.is(nativeError, undefined);
});

test('auto falls back to wasm and keeps the reason', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'mica-core-'));
  t.teardown(() => rm(folder, { recursive: true }));
  await cp(join(DIST, '../package.json'), join(folder, 'package.json'));
  for (const name of ['src', 'native', 'wasm'])
    await cp(join(DIST, name), join(folder, 'dist', name), { recursive: true });
  // Such as an addon for another machine.
  await writeFile(join(folder, 'dist/native/mica-core.node'), 'no addon');
  const loader = await import(pathToFileURL(join(folder, 'dist/src/load-core.js')).href);
  const { core, nativeError } = await loader.loadCore({ choice: 'auto', files: nodeFiles });
  t.is(core.flavour, 'wasm');
  t.is(nativeError.code, 'CORE_NOT_LOADED');
  t.true(nativeError.cause instanceof Error);
});
