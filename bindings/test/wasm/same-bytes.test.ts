// Recipes and packs have to be the same bytes on every machine, so that stores can be shared.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import { loadNative } from '../../src/load-native.ts';
import { loadWasm } from '../../src/load-wasm.ts';
import { nodeFiles } from '../../src/node-files.ts';
import { makeBytes } from '../contract/bytes.ts';

const native = loadNative(1);
const wasm = await loadWasm(nodeFiles);

test('native and wasm give the same ids and digests', (t) => {
  const content = fc.oneof(
    fc.uint8Array({ maxLength: 5000 }),
    fc.nat({ max: 300_000 }).map((size) => makeBytes(size)),
  );
  t.notThrows(() =>
    fc.assert(
      fc.property(content, fc.constantFrom('sha256', 'sha512'), (bytes, algorithm) => {
        const ids = [native, wasm].map((core) => core.fileId(bytes));
        const digests = [native, wasm].map((core) => core.contentDigest(algorithm, bytes));
        return ids[0] === ids[1] && digests[0] === digests[1];
      }),
    ),
  );
});

test('native and wasm give the same result for a file', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'mica-core-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const path = join(folder, 'file');
  await writeFile(path, makeBytes(3_000_000));
  const options = { algorithm: 'sha512' } as const;
  t.deepEqual(await wasm.hashFile(path, options), await native.hashFile(path, options));
});
