import { unlink, writeFile } from 'node:fs/promises';
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

/** `told` gets the layers that were found damaged. */
function compact(
  folder: DedupFolder,
  crash?: Crash,
  signal?: AbortSignal,
  told: Digest[] = [],
): Promise<number> {
  const { core, index, packs, recipes, restorations, runtime, store } = folder;
  const watch = <T extends object>(part: T, steps: readonly (keyof T & string)[]): T =>
    crash === undefined ? part : crash.watch(part, steps);
  return compactPacks({
    core: watch(core, ['fileIds', 'fileSizes', 'packFiles']),
    index: watch(index, ['sealPack', 'filesIn', 'openPack', 'moveFiles', 'removePack']),
    packs: watch(packs, ['prepare', 'remove']),
    files: watch(runtime.files, ['remove', 'stat']),
    ...{ recipes, restorations, paths: new BlobPaths(folder.path), minDeadSize: 1, signal },
    onDamaged: async (digest) => {
      told.push(digest);
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

/** How a system's error comes out of Node and of the core, and one of the index. */
function failWith(code: string): () => Promise<never> {
  return () => Promise.reject(Object.assign(new Error(`cannot write: ${code}`), { code }));
}

/** Where a compaction writes, and what may fail there; of a core only its errors can be made up. */
const WRITES: readonly {
  readonly name: string;
  readonly codes: readonly string[];
  breakIn(folder: DedupFolder, fail: () => Promise<never>): DedupFolder;
}[] = [
  {
    name: 'the pack is written',
    codes: ['EIO', 'EROFS', 'EDQUOT', 'ENOSPC', 'EFBIG', 'PACK_MAGIC'],
    breakIn: (folder, packFiles) => ({ ...folder, core: replace(folder.core, { packFiles }) }),
  },
  {
    name: 'the pack is made ready',
    codes: ['EIO', 'ENOENT', 'PACK_CUT'],
    breakIn: (folder, prepare) => ({ ...folder, packs: replace(folder.packs, { prepare }) }),
  },
  {
    name: 'a layer is made again in a file',
    codes: ['EIO', 'EROFS', 'EDQUOT', 'ENOENT'],
    breakIn: (folder, open) => {
      const files = replace(folder.runtime.files, { open });
      return { ...folder, runtime: { ...folder.runtime, files } };
    },
  },
  {
    name: 'the index is written',
    codes: ['INDEX_NOT_WRITTEN'],
    breakIn: (folder, moveFiles) => ({ ...folder, index: replace(folder.index, { moveFiles }) }),
  },
];

/** The same object with other methods. */
function replace<T extends object>(part: T, methods: { [name in keyof T]?: unknown }): T {
  return new Proxy(part, {
    get: (target, key) => {
      const value: unknown = Reflect.get(key in methods ? methods : target, key);
      return typeof value === 'function' && !(key in methods) ? value.bind(target) : value;
    },
  });
}

for (const { name, codes, breakIn } of WRITES) {
  test(`what fails while ${name} damages no layer, and is done the next time`, async (t) => {
    const folder = await openDedupFolder(t);
    const layers = await makeSparse(folder);
    const before = await listAll(folder.index.listPacks());
    for (const code of codes) {
      const broken = breakIn(folder, failWith(code));
      const error = await t.throwsAsync(compact(broken), undefined, code);
      t.regex(describe(error), new RegExp(`cannot write: ${code}`));
      t.deepEqual(await listAll(folder.index.listPacks()), before, `${code} leaves no pack`);
      await checkAll(t, folder, layers, code);
    }
    t.deepEqual(await folder.runtime.files.list(`${folder.path}/fills`), []);
    t.is(await compact(folder), 4);
    await checkAll(t, folder, layers);
  });
}

/** Its message and those of its causes. */
function describe(error: unknown): string {
  return error instanceof Error ? `${error.message}; ${describe(error.cause)}` : '';
}

test('an error of reading a layer damages none, and one that is wrong does', async (t) => {
  const folder = await openDedupFolder(t);
  const layers = await makeSparse(folder);
  const [first] = layers.keys();
  if (first === undefined) return t.fail();
  for (const code of ['EIO', 'ESTALE', 'NO_THREAD']) {
    const core = replace(folder.core, { fileIds: failWith(code) });
    await t.throwsAsync(compact({ ...folder, core }), { message: /cannot write/ });
    await checkAll(t, folder, layers, code);
  }
  await writeFile(folder.recipes.path(first), 'no recipe');
  await compact(folder);
  t.is(await folder.index.getLayer(first), undefined);
  layers.delete(first);
  await checkAll(t, folder, layers);
});

for (const state of ['gone', 'damaged'] as const) {
  test(`a whole copy that is ${state} says nothing of its recipe`, async (t) => {
    const folder = await openDedupFolder(t);
    const layers = await makeSparse(folder);
    for (const layer of layers.values()) await folder.put(layer);
    for (const digest of layers.keys()) await writeFile(folder.wholePath(digest), 'x'.repeat(999));
    const { files } = folder.runtime;
    const remove = async (path: string) => {
      const status = await files.stat(path);
      if (state === 'gone' && path.includes('/blobs/')) await files.remove(path);
      return status;
    };
    const runtime = { ...folder.runtime, files: replace(files, { stat: remove }) };
    t.is(await compact({ ...folder, runtime }), 4);
    for (const digest of layers.keys()) await folder.whole.remove(digest);
    await checkAll(t, folder, layers);
  });
}

test('a layer that is removed while packs are compacted is passed over', async (t) => {
  const folder = await openDedupFolder(t);
  const layers = await makeSparse(folder);
  const [first] = layers.keys();
  if (first === undefined) return t.fail();
  const fileIds = async (recipe: string) => {
    const ids = await folder.core.fileIds(recipe);
    if (recipe === folder.recipes.path(first)) await folder.store.removeRecipe(first);
    return ids;
  };
  const told: Digest[] = [];
  const core = replace(folder.core, { fileIds });
  await compact({ ...folder, core }, undefined, undefined, told);
  t.deepEqual(told, []);
  layers.delete(first);
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
