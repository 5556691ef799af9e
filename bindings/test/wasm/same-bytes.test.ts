// Recipes and packs have to be the same bytes on every machine, so that stores can be shared.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import type { Core, IngestedLayer, PackedFiles } from '../../src/core.ts';
import { loadNative } from '../../src/load-native.ts';
import { loadWasm } from '../../src/load-wasm.ts';
import { nodeFiles } from '../../src/node-files.ts';
import { makeBytes } from '../contract/bytes.ts';
import { keepLayer } from '../contract/kept-layer.ts';
import { sampleLayers } from '../contract/sample-layers.ts';
import { makeTar } from '../contract/tar.ts';

const native = loadNative({ workers: 1 });
const threads = loadNative({ workers: 3 });
const wasm = await loadWasm(nodeFiles);
const samples = await sampleLayers();

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

interface Outcome {
  readonly ingested: IngestedLayer;
  readonly packed: PackedFiles;
  readonly recipe: Buffer;
  readonly pack: Buffer;
}

/** What a core makes of layers, all packed into one pack. */
async function keepAll(
  core: Core,
  folder: string,
  layers: readonly Uint8Array[],
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const [index, bytes] of layers.entries()) {
    const kept = await keepLayer(core, folder, bytes, { name: `layer-${index}` });
    // Both are bytes; the addon's are a Buffer.
    const packed = { ...kept.packed, places: Buffer.from(kept.packed.places) };
    const [recipe, pack] = await Promise.all([readFile(kept.recipe), readFile(kept.pack)]);
    outcomes.push({ ingested: kept.ingested, packed, recipe, pack });
  }
  return outcomes;
}

async function compare(t: ExecutionContext, layers: readonly Uint8Array[]): Promise<void> {
  const [first, ...others] = await Promise.all(
    [threads, wasm].map(async (core) => {
      const folder = await mkdtemp(join(tmpdir(), 'mica-core-'));
      t.teardown(() => rm(folder, { recursive: true }));
      return await keepAll(core, folder, layers);
    }),
  );
  for (const other of others) t.deepEqual(other, first);
}

for (const { name, bytes } of samples)
  test(`native and wasm give the same recipe and pack: ${name}`, (t) => compare(t, [bytes]));

test('native and wasm give the same recipe and pack of a tar of many files', async (t) => {
  const files = Array.from({ length: 20_000 }, (_, index) => ({
    name: `file-${index}`,
    content: makeBytes(1 + (index % 60), index + 1),
  }));
  const tar = makeTar(files);
  // More ids than fit into one chunk of a recipe, so that the order of chunks is put to the test.
  await compare(t, [tar, gzipSync(tar, { level: 1 })]);
});
