import { unlink } from 'node:fs/promises';
import test from 'ava';
import { collectPacks } from '../../src/dedup/collect-packs.ts';
import { compactPacks } from '../../src/dedup/compact-packs.ts';
import type { Digest } from '../../src/oci/digest.ts';
import { BlobPaths } from '../../src/store/blob-paths.ts';
import { readAll } from '../conformance/blob-store.ts';
import { MemoryFileIndex } from '../doubles/memory-file-index.ts';
import { makeFolder, removeFolder } from '../doubles/test-runtime.ts';
import { Crash, CrashError } from './crashes.ts';
import { type DedupFolder, openDedupFolder, openIn } from './dedup-folder.ts';
import { listAll, makeFiles, makeTar, sameBytes } from './layers.ts';

const SHARED = makeFiles(4, 1);
const GOES = makeTar([...SHARED, ...makeFiles(40, 100)]);
const STAYS = makeTar(SHARED);
const OTHER = makeTar([...makeFiles(2, 1), ...makeFiles(2, 600)]);

/** A pack of which a tenth is still needed, by two layers that are only recipes. */
async function makeSparse(folder: DedupFolder): Promise<Map<Digest, Uint8Array>> {
  const goes = await folder.putRecipe(GOES);
  await folder.index.sealPack(1);
  const layers = new Map<Digest, Uint8Array>();
  for (const layer of [STAYS, OTHER]) layers.set(await folder.putRecipe(layer), layer);
  await folder.store.remove(goes);
  return layers;
}

function compact(folder: DedupFolder, crash?: Crash, signal?: AbortSignal): Promise<number> {
  const { core, index, packs, recipes, restorations, runtime, store } = folder;
  const watch = <T extends object>(part: T, steps: readonly (keyof T & string)[]): T =>
    crash === undefined ? part : crash.watch(part, steps);
  return compactPacks({
    core: watch(core, ['fileIds', 'fileSizes', 'packFiles']),
    index: watch(index, ['sealPack', 'filesIn', 'openPack', 'moveFiles']),
    packs: watch(packs, ['prepare']),
    files: watch(runtime.files, ['remove', 'stat']),
    ...{ recipes, restorations, paths: new BlobPaths(folder.path), minDeadSize: 1, signal },
    onDamaged: async (digest) => {
      await store.removeRecipe(digest);
    },
  });
}

async function checkAll(
  t: Parameters<typeof sameBytes>[0],
  folder: DedupFolder,
  layers: ReadonlyMap<Digest, Uint8Array>,
  message?: string,
): Promise<void> {
  for (const [digest, layer] of layers) {
    const source = await folder.store.open(digest);
    sameBytes(t, source && (await readAll(source)), layer, message);
    source?.close();
    await folder.restorations.forget(digest);
  }
}

test('compactPacks() copies what is live, and the sparse pack goes', async (t) => {
  const folder = await openDedupFolder(t);
  const layers = await makeSparse(folder);
  t.is(await compact(folder), 4);
  await collectPacks(folder);
  t.is(await folder.index.getPack(1), undefined);
  t.false((await listAll(folder.packs.list())).some(({ number }) => number === 1));
  await checkAll(t, folder, layers);
  t.is(await compact(folder), 0, 'there is nothing more to do');
});

test('compactPacks() leaves no file of its own', async (t) => {
  const folder = await openDedupFolder(t);
  await makeSparse(folder);
  await compact(folder);
  t.deepEqual(await folder.runtime.files.list(`${folder.path}/fills`), []);
});

test('who reads a layer while its pack is compacted gets it to its end', async (t) => {
  const folder = await openDedupFolder(t);
  const layers = await makeSparse(folder);
  const [digest = undefined, layer = new Uint8Array()] = [...layers][0] ?? [];
  if (digest === undefined) return t.fail();
  const source = await folder.store.open(digest);
  const bytes = new Uint8Array(layer.length);
  const first = (await source?.read(bytes.subarray(0, 1000), 0)) ?? 0;
  await compact(folder);
  await collectPacks(folder);
  for (let position = first; position < bytes.length; ) {
    position += (await source?.read(bytes.subarray(position), position)) ?? 0;
  }
  sameBytes(t, bytes, layer);
  source?.close();
});

test('a damaged layer is passed over, and the others are copied', async (t) => {
  const folder = await openDedupFolder(t);
  const layers = await makeSparse(folder);
  const [damaged] = layers.keys();
  if (damaged === undefined) return t.fail();
  await unlink(folder.recipes.path(damaged));
  await compact(folder);
  layers.delete(damaged);
  await checkAll(t, folder, layers);
});

test('compactPacks() ends when it is aborted, and goes on the next time', async (t) => {
  const folder = await openDedupFolder(t);
  const layers = await makeSparse(folder);
  await t.throwsAsync(compact(folder, undefined, AbortSignal.abort(new Error('enough'))), {
    message: 'enough',
  });
  await checkAll(t, folder, layers);
  t.is(await compact(folder), 4);
  await checkAll(t, folder, layers);
});

test('collectPacks() removes packs of which nobody needs anything, and seals an open one', async (t) => {
  const folder = await openDedupFolder(t);
  const digest = await folder.putRecipe(STAYS);
  t.is((await collectPacks(folder)).removed, 0);
  await folder.store.remove(digest);
  t.is((await collectPacks(folder)).removed, 1);
  t.deepEqual(await listAll(folder.packs.list()), []);
  const again = await folder.putRecipe(OTHER);
  t.is(await folder.store.verify(again), 'whole');
});

for (const isAfter of [false, true]) {
  test(`a crash ${isAfter ? 'after' : 'before'} any step of a compaction loses nothing`, async (t) => {
    for (let step = 0; ; step += 1) {
      const path = await makeFolder();
      t.teardown(() => removeFolder(path));
      const index = new MemoryFileIndex();
      const first = await openIn(path, index);
      const layers = await makeSparse(first);
      const crash = new Crash(step, isAfter);
      await compact(first, crash).catch((error: unknown) => {
        if (!(error instanceof CrashError)) throw error;
      });
      await first.store.close();
      const folder = await openIn(path, index);
      await checkAll(t, folder, layers, `step ${step}`);
      await compact(folder);
      await collectPacks(folder);
      await checkAll(t, folder, layers, `step ${step}, again`);
      t.is(await index.getPack(1), undefined);
      await folder.store.close();
      if (!crash.happened) {
        t.true(step > 8);
        return;
      }
    }
  });
}
