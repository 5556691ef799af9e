import { open as openFile, rm, unlink } from 'node:fs/promises';
import test from 'ava';
import { TieredBlobStore } from '../../src/dedup/tiered-blob-store.ts';
import type { Digest } from '../../src/oci/digest.ts';
import { BlobPaths } from '../../src/store/blob-paths.ts';
import { openDiskBlobStore } from '../../src/store/disk-blob-store.ts';
import {
  type BlobStoreUnderTest,
  digestBytes,
  fill,
  makeBytes,
  readAll,
  testBlobStore,
} from '../conformance/blob-store.ts';
import { MemoryFileIndex } from '../doubles/memory-file-index.ts';
import { quietLog } from '../doubles/quiet-log.ts';
import { makeFolder, makeTestRuntime } from '../doubles/test-runtime.ts';
import { openDedupFolder, openIn } from './dedup-folder.ts';
import { listAll, makeFiles, makeLayer, makeTar, sameBytes } from './layers.ts';

const LAYER = makeTar(makeFiles(30, 1));
const SMALL = makeTar(makeFiles(3, 40, 500));

/** Whole blobs only: the store is as good as the one it is over. */
testBlobStore(test, 'TieredBlobStore', async (): Promise<BlobStoreUnderTest> => {
  const folder = await makeFolder();
  const damaged: Digest[] = [];
  const index = new MemoryFileIndex();
  const open = async (): Promise<TieredBlobStore> => {
    const { store, recipes, runtime } = await openIn(folder, index);
    await store.close();
    const whole = await openDiskBlobStore({
      ...{ folder, runtime, recheckMs: 60_000, log: quietLog },
      onDamaged: (digest) => damaged.push(digest),
    });
    return new TieredBlobStore({
      ...{ whole, index, recipes, hashing: runtime.hashing, log: quietLog },
      isIngesting: () => false,
      onStored: () => undefined,
    });
  };
  let store = await open();
  return {
    store,
    damaged,
    reopen: async () => {
      await store.close();
      store = await open();
      return store;
    },
    damage: async (digest, position) => {
      const file = await openFile(new BlobPaths(folder).blob(digest), 'r+');
      const { buffer } = await file.read(Buffer.alloc(1), 0, 1, position);
      await file.write(Buffer.of((buffer[0] ?? 0) ^ 1), 0, 1, position);
      await file.close();
    },
    remove: async () => {
      await store.close();
      await rm(folder, { recursive: true });
    },
  };
});

test('a layer is there as long as its whole copy or its recipe is', async (t) => {
  const { store, whole, put, ingest } = await openDedupFolder(t);
  const digest = await put(LAYER);
  await ingest(digest);
  t.is(await store.stat(digest), LAYER.length);
  await whole.remove(digest);
  t.is(await store.stat(digest), LAYER.length);
  t.is(await store.verify(digest), 'whole');
  t.true(await store.remove(digest));
  t.is(await store.stat(digest), undefined);
  t.is(await store.open(digest), undefined);
  t.is(await store.verify(digest), 'absent');
  t.false(await store.remove(digest));
});

test('remove() takes whole copy, record, recipe and place in the queue', async (t) => {
  const { store, index, recipes, put, ingest } = await openDedupFolder(t);
  const digest = await put(LAYER);
  await ingest(digest);
  t.true(await store.remove(digest));
  t.is(await index.getLayer(digest), undefined);
  t.deepEqual(await listAll(recipes.list()), []);
  const waiting = await put(SMALL);
  await index.enqueue(waiting, 1);
  t.true(await store.remove(waiting));
  t.deepEqual(await listAll(index.listQueue()), []);
});

test('remove() gives back whole copies when the index cannot be written', async (t) => {
  const { store, index, whole, put, ingest } = await openDedupFolder(t);
  const digest = await put(LAYER);
  await ingest(digest);
  const removeLayer = index.removeLayer.bind(index);
  index.removeLayer = () => Promise.reject(new Error('the disk is full'));
  t.true(await store.remove(digest));
  t.is(await whole.stat(digest), undefined);
  t.is(await store.stat(digest), LAYER.length, 'its recipe is still good');
  t.false(await store.remove(digest));
  index.removeLayer = removeLayer;
  t.true(await store.remove(digest));
});

test('a damaged whole copy is read from the recipe', async (t) => {
  const { store, put, ingest, wholePath } = await openDedupFolder(t);
  const digest = await put(LAYER);
  await ingest(digest);
  await unlink(wholePath(digest));
  const source = await store.open(digest);
  sameBytes(t, source && (await readAll(source)), LAYER);
  source?.close();
});

test('read() gives a small layer from its recipe, and nothing when that is damaged', async (t) => {
  const { store, putRecipe, packs, restorations } = await openDedupFolder(t);
  const digest = await putRecipe(SMALL);
  sameBytes(t, await store.read(digest), SMALL);
  await unlink(packs.path(1));
  await restorations.forget(digest);
  t.is(await store.read(digest), undefined);
  t.is(await store.stat(digest), undefined);
});

test('list() gives each blob once, and sizes that add up to what is stored', async (t) => {
  const { store, whole, put, ingest, index, recipes } = await openDedupFolder(t);
  const both = await put(LAYER);
  await ingest(both);
  const recipeOnly = await put(makeTar([...makeFiles(30, 1), ...makeFiles(5, 90)]));
  await ingest(recipeOnly);
  await whole.remove(recipeOnly);
  const other = await put(makeBytes(5000));
  const listed = await listAll(store.list());
  const digests = listed.map(({ digest }) => digest);
  for (const digest of [both, recipeOnly, other]) t.true(digests.includes(digest));
  t.is(listed.length, 3);
  const stored = listed.reduce((sum, { size, stored = size }) => sum + stored, 0);
  const recipeSizes = (await listAll(recipes.list())).reduce((sum, { size }) => sum + size, 0);
  const { packs } = (await index.totals()).bytes;
  t.true(Math.abs(stored - (LAYER.length + 5000 + recipeSizes + packs)) <= 2);
});

test('quarantine() takes the copy that was read out of sight, and leaves the other', async (t) => {
  const { store, whole, put, ingest, index } = await openDedupFolder(t);
  const digest = await put(LAYER);
  await ingest(digest);
  await store.quarantine(digest);
  t.is(await whole.stat(digest), undefined);
  t.is(await store.verify(digest), 'whole');
  await store.quarantine(digest);
  t.is(await index.getLayer(digest), undefined);
});

test('a layer that is being read is busy', async (t) => {
  const { store, putRecipe } = await openDedupFolder(t);
  const digest = await putRecipe(LAYER);
  t.false(store.isBusy(digest));
  const source = await store.open(digest);
  t.true(store.isBusy(digest));
  source?.close();
  t.false(store.isBusy(digest));
});

test('removing a layer that is read ends its readers without a wrong byte', async (t) => {
  const { store, putRecipe } = await openDedupFolder(t);
  const digest = await putRecipe(LAYER);
  const source = await store.open(digest);
  const bytes = new Uint8Array(100_000);
  const first = (await source?.read(bytes, 0)) ?? 0;
  sameBytes(t, bytes.subarray(0, first), LAYER.subarray(0, first));
  await store.remove(digest);
  await t.throwsAsync(async () => {
    for (let position = first; position < LAYER.length; )
      position += (await source?.read(bytes, position)) ?? 0;
  });
  source?.close();
});

test('a store without the core says nothing of layers that it cannot make', async (t) => {
  const { index, whole, recipes, runtime, putRecipe } = await openDedupFolder(t);
  const digest = await putRecipe(LAYER);
  const store = new TieredBlobStore({
    ...{ whole, index, recipes, hashing: runtime.hashing, log: quietLog },
    isIngesting: () => false,
    onStored: () => undefined,
  });
  t.is(await store.stat(digest), undefined);
  t.is(await store.open(digest), undefined);
  t.is(await store.read(digest), undefined);
  await t.throwsAsync(store.verify(digest), { message: /without the core/ });
  t.is((await listAll(store.list())).length, 1, 'it takes room all the same');
  await fill(store, digest, LAYER);
  t.is(await store.stat(digest), LAYER.length);
});

test('onStored() hears of what was committed, and of nothing else', async (t) => {
  const { index, whole, recipes } = await openDedupFolder(t);
  const heard: [Digest, number][] = [];
  const store = new TieredBlobStore({
    ...{ whole, index, recipes, hashing: makeTestRuntime().hashing, log: quietLog },
    isIngesting: () => false,
    onStored: (digest, size) => heard.push([digest, size]),
  });
  const layer = makeLayer(makeFiles(3, 1));
  const digest = digestBytes(layer);
  const partial = await store.begin(digest);
  await partial.append(layer.subarray(0, 10));
  await partial.suspend();
  await partial.close();
  t.deepEqual(heard, []);
  await fill(store, digest, layer);
  t.deepEqual(heard, [[digest, layer.length]]);
});

test('a layer in memory is read before its recipe and after its whole copy, until it is removed', async (t) => {
  const { whole, index, recipes, runtime, core, restorations, putRecipe, put } =
    await openDedupFolder(t);
  const held = new Map<Digest, Uint8Array>();
  const store = new TieredBlobStore({
    ...{ whole, index, recipes, hashing: runtime.hashing, log: quietLog },
    restoring: { core, restorations },
    memory: held,
    isIngesting: () => false,
    onStored: () => undefined,
  });
  const digest = await putRecipe(LAYER);
  // Other bytes than the layer's, to see where they come from.
  const marked = Uint8Array.from(LAYER).fill(7);
  held.set(digest, marked);
  const readAll = async () => {
    const source = await store.open(digest);
    const bytes = new Uint8Array(source?.size ?? 0);
    for (let position = 0; position < bytes.length; )
      position += (await source?.read(bytes.subarray(position), position)) ?? 0;
    source?.close();
    return bytes;
  };
  sameBytes(t, await readAll(), marked);
  sameBytes(t, await store.read(digest), marked);
  t.is(restorations.active, 0, 'nothing was made');
  t.is(await store.stat(digest), LAYER.length);
  await put(LAYER);
  sameBytes(t, await readAll(), LAYER);
  sameBytes(t, await store.read(digest), LAYER);
  await store.remove(digest);
  t.false(held.has(digest));
  t.is(await store.open(digest), undefined);
});
