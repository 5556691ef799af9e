import { randomBytes } from 'node:crypto';
import { open as openFile, readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import test from 'ava';
import type { Core } from 'mica-core/core';
import type { FileIndex } from '../../src/dedup/file-index.ts';
import { type IngestParts, ingestLayer } from '../../src/dedup/ingest-layer.ts';
import { digestBytes, readAll } from '../conformance/blob-store.ts';
import { MemoryFileIndex } from '../doubles/memory-file-index.ts';
import { makeFolder, removeFolder } from '../doubles/test-runtime.ts';
import { Crash, CrashError } from './crashes.ts';
import { type DedupFolder, openDedupFolder, openIn } from './dedup-folder.ts';
import { listAll, makeFiles, makeLayer, makeTar, makeText, sameBytes } from './layers.ts';

const FILES = makeFiles(30, 1);
const LAYER = makeLayer(FILES);

async function packSizes(folder: DedupFolder): Promise<number[]> {
  return (await listAll(folder.packs.list())).map(({ size }) => size);
}

/** The same with other functions. */
function replace<T extends object>(part: T, others: Partial<T>): T {
  return new Proxy(part, {
    get: (target, key) => {
      const other: unknown = Reflect.get(others, key);
      const value: unknown = other ?? Reflect.get(target, key, target);
      return typeof value === 'function' && other === undefined ? value.bind(target) : value;
    },
  });
}

async function ingestWith(folder: DedupFolder, layer: Uint8Array, other: Partial<IngestParts>) {
  const { core, index, packs, recipes, runtime } = folder;
  const digest = await folder.put(layer);
  const { signal } = new AbortController();
  const options = { digest, path: folder.wholePath(digest), packOwner: 'test', signal };
  const parts = { core, index, packs, recipes, clock: runtime.clock };
  const outcome = await ingestLayer({ ...parts, ...other }, options);
  await folder.whole.remove(digest);
  const source = await folder.store.open(digest);
  const isSame = source !== undefined && Buffer.from(await readAll(source)).equals(layer);
  source?.close();
  return { outcome, isSame };
}

test('ingestLayer() keeps what makes a layer again, and says what it learned', async (t) => {
  const folder = await openDedupFolder(t);
  const digest = await folder.put(LAYER);
  const outcome = await folder.ingest(digest);
  t.like(outcome, {
    kind: 'recipe',
    record: {
      kind: 'recipe',
      size: LAYER.length,
      diffId: digestBytes(makeTar(FILES)),
      tarSize: makeTar(FILES).length,
      files: 30,
      compressor: 'chromium-zlib',
      level: 6,
    },
  });
  t.deepEqual(await folder.index.getLayer(digest), outcome.kind === 'recipe' && outcome.record);
  await folder.whole.remove(digest);
  const source = await folder.store.open(digest);
  sameBytes(t, source && (await readAll(source)), LAYER);
  source?.close();
  t.deepEqual(await readdir(`${folder.path}/recipes/new`), []);
});

test('ingestLayer() stores a file once, whatever layer and compression it comes in', async (t) => {
  const folder = await openDedupFolder(t);
  await folder.putRecipe(LAYER);
  const [before] = await packSizes(folder);
  await folder.putRecipe(makeLayer(FILES, 9));
  t.deepEqual(await packSizes(folder), [before], 'nothing new');
  const more = makeLayer([...FILES, ...makeFiles(3, 500)]);
  const digest = await folder.putRecipe(more);
  const [after] = await packSizes(folder);
  t.true((after ?? 0) > (before ?? 0));
  const { files } = await folder.index.totals();
  t.is(files.unique, 33);
  t.is(files.duplicate, 60);
  const source = await folder.store.open(digest);
  sameBytes(t, source && (await readAll(source)), more);
  source?.close();
});

test('ingestLayer() reads a layer once to pack its files', async (t) => {
  const folder = await openDedupFolder(t);
  const core = replace(folder.core, {
    packFiles: () => {
      throw new Error('a second pass');
    },
  });
  const { outcome, isSame } = await ingestWith(folder, LAYER, { core });
  t.true(isSame);
  const [size] = await packSizes(folder);
  t.is((await folder.index.getPack(1))?.size, size);
  const { recipes, packs } = (await folder.index.totals()).bytes;
  t.is(outcome.kind === 'recipe' && outcome.newBytes, recipes + packs);
});

test('ingestLayer() packs large files in a second pass, behind the others', async (t) => {
  const folder = await openDedupFolder(t);
  const numbers: number[][] = [];
  const core = replace(folder.core, {
    packFiles: (layer, options) => {
      numbers.push([...(options.files ?? [])]);
      return folder.core.packFiles(layer, options);
    },
  });
  const large = Buffer.alloc(36 * 1024 * 1024, 'large');
  const layer = makeTar([...FILES.slice(0, 5), large, ...FILES.slice(5)]);
  const { outcome, isSame } = await ingestWith(folder, layer, { core });
  t.true(isSame);
  t.deepEqual(numbers, [[5]]);
  const [size, ...others] = await packSizes(folder);
  t.deepEqual(others, []);
  t.like(await folder.index.getPack(1), { size });
  const { recipes, packs } = (await folder.index.totals()).bytes;
  t.is(outcome.kind === 'recipe' && outcome.newBytes, recipes + packs);
  t.deepEqual(await folder.index.recount(false), []);
});

test('ingestLayer() packs files that go while the layer is read', async (t) => {
  const folder = await openDedupFolder(t);
  const other = await folder.putRecipe(makeTar(FILES.slice(0, 10)));
  let calls = 0;
  const index = replace(folder.index as FileIndex, {
    locate: async (ids) => {
      calls += 1;
      if (calls === 2) await folder.index.removeLayer(other);
      return await folder.index.locate(ids);
    },
  });
  const { outcome, isSame } = await ingestWith(folder, LAYER, { index });
  t.is(calls, 2);
  t.is(outcome.kind, 'recipe');
  t.true(isSame);
});

test('ingestLayer() leaves files where others have put them meanwhile', async (t) => {
  const folder = await openDedupFolder(t);
  let calls = 0;
  const index = replace(folder.index as FileIndex, {
    locate: async (ids) => {
      calls += 1;
      if (calls === 2) {
        const parts = { ...folder, clock: folder.runtime.clock };
        const digest = await folder.put(makeTar(FILES.slice(0, 10)));
        const { signal } = new AbortController();
        const path = folder.wholePath(digest);
        await ingestLayer(parts, { digest, path, packOwner: 'another', signal });
      }
      return await folder.index.locate(ids);
    },
  });
  const { outcome, isSame } = await ingestWith(folder, LAYER, { index });
  t.is(outcome.kind, 'recipe');
  t.true(isSame);
  const [first, second] = await listAll(folder.index.listPacks());
  t.true((first?.liveSize ?? 0) < (first?.plainSize ?? 0), 'what came too late is of no use');
  t.is(second?.liveSize, second?.plainSize);
  t.deepEqual(await folder.index.recount(false), []);
});

test('ingestLayer() packs all anew when a commit fails', async (t) => {
  const folder = await openDedupFolder(t);
  let calls = 0;
  const index = replace(folder.index as FileIndex, {
    commitLayer: async (commit) => {
      calls += 1;
      if (calls > 1) return await folder.index.commitLayer(commit);
      await folder.index.sealPack(1);
      return false;
    },
  });
  const { outcome, isSame } = await ingestWith(folder, LAYER, { index });
  t.is(calls, 2);
  t.is(outcome.kind, 'recipe');
  t.true(isSame);
  const sizes = await packSizes(folder);
  t.is(sizes[0], 0, 'what was not committed is cut off');
  t.is(sizes[1], (await folder.index.getPack(2))?.size);
});

test('ingestLayer() proves each segment when the layer comes out as another one', async (t) => {
  const folder = await openDedupFolder(t);
  const other = folder.wholePath(await folder.put(makeLayer(FILES, 9)));
  const proofs: unknown[] = [];
  // The first time it gives the recipe of another layer, with the same files.
  const ingest: Core['ingest'] = async (layer, options) => {
    proofs.push(options.isProvenLater);
    const ingested = await folder.core.ingest(layer, options);
    if (options.isProvenLater === true) await folder.core.ingest(other, options);
    return ingested;
  };
  const core = replace(folder.core, { ingest });
  const outcome = await folder.ingest(await folder.put(LAYER), { core });
  t.is(outcome.kind, 'recipe');
  t.deepEqual(proofs, [true, false]);
});

test('ingestLayer() looks at all of a layer whose compressor changes after it was right for long', async (t) => {
  const folder = await openDedupFolder(t);
  const proofs: unknown[] = [];
  const ingest: Core['ingest'] = (layer, options) => {
    proofs.push(options.isProvenLater);
    return folder.core.ingest(layer, options);
  };
  const tar = makeTar([makeText(20_000_000, 1)]);
  const [before, after] = [tar.subarray(0, 15_000_000), tar.subarray(15_000_000)];
  const layer = Buffer.concat([gzipSync(before, { level: 6 }), gzipSync(after, { level: 1 })]);
  const core = replace(folder.core, { ingest });
  const { outcome, isSame } = await ingestWith(folder, layer, { core });
  t.is(outcome.kind, 'recipe');
  t.true(isSame);
  t.deepEqual(proofs, [true, false]);
});

test('ingestLayer() does nothing for a layer that is there', async (t) => {
  const folder = await openDedupFolder(t);
  const digest = await folder.put(LAYER);
  await folder.ingest(digest);
  const sizes = await packSizes(folder);
  const again = await folder.ingest(digest);
  t.is(again.kind === 'recipe' && again.newBytes, 0);
  t.deepEqual(await packSizes(folder), sizes);
  t.is((await folder.index.totals()).layers.recipes, 1);
});

test('ingestLayer() leaves whole what it cannot read, and what would take more than it is', async (t) => {
  const folder = await openDedupFolder(t);
  // A gzip whose stream ends in its middle, as whoever pushed it made it.
  const cut = await folder.put(LAYER.subarray(0, LAYER.length / 2));
  t.like(await folder.ingest(cut), { kind: 'whole', size: Math.floor(LAYER.length / 2) });
  const random = await folder.put(gzipSync(makeTar([randomBytes(100_000)]), { level: 6 }));
  const outcome = await folder.ingest(random);
  t.true(outcome.kind === 'recipe' || outcome.kind === 'whole');
  t.deepEqual(await readdir(`${folder.path}/recipes/new`), []);
});

test('ingestLayer() tells a damaged whole copy from a layer that is made so', async (t) => {
  const folder = await openDedupFolder(t);
  for (const damage of [
    (path: string) => truncate(path, 5000),
    async (path: string) => {
      const file = await openFile(path, 'r+');
      await file.write(Buffer.of(0xff, 0x00, 0x55), 0, 3, 2000);
      await file.close();
    },
    (path: string) => writeFile(path, makeLayer(makeFiles(3, 7))),
  ]) {
    const digest = await folder.put(LAYER);
    await damage(folder.wholePath(digest));
    t.deepEqual(await folder.ingest(digest), { kind: 'damaged' });
    t.is(await folder.index.getLayer(digest), undefined);
    t.true(
      (await packSizes(folder)).every((size) => size === 0),
      'nothing of it is kept',
    );
  }
});

test('ingestLayer() ends when it is aborted, and leaves nothing', async (t) => {
  const folder = await openDedupFolder(t);
  const digest = await folder.put(LAYER);
  const abort = new AbortController();
  const ingesting = folder.ingest(digest, { signal: abort.signal });
  abort.abort(new Error('enough'));
  await t.throwsAsync(ingesting, { message: 'enough' });
  t.is(await folder.index.getLayer(digest), undefined);
  t.deepEqual(await readdir(`${folder.path}/recipes/new`), []);
  t.is((await folder.ingest(digest)).kind, 'recipe');
});

test('ingestLayer() does not trust a pack that has lost bytes, nor add to it', async (t) => {
  const folder = await openDedupFolder(t);
  await folder.putRecipe(LAYER);
  const pack = folder.packs.path(1);
  await truncate(pack, (await stat(pack)).size - 1);
  const other = makeLayer(makeFiles(5, 900));
  const digest = await folder.putRecipe(other);
  const source = await folder.store.open(digest);
  sameBytes(t, source && (await readAll(source)), other);
  source?.close();
  t.true((await folder.index.getPack(1))?.isSealed);
});

test('ingestLayer() proves a layer with the files that others brought: a rotten one is not trusted', async (t) => {
  const folder = await openDedupFolder(t);
  await folder.putRecipe(LAYER);
  const pack = folder.packs.path(1);
  const bytes = await readFile(pack);
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
  await writeFile(pack, bytes);
  const digest = await folder.put(makeLayer(FILES, 9));
  const error = await t.throwsAsync(folder.ingest(digest));
  t.regex(String(error && 'code' in error && error.code), /^PACK_/);
  t.is(await folder.index.getLayer(digest), undefined);
});

/** Ingests with a crash at one step; undefined when there are not so many. */
async function crashAt(folder: DedupFolder, layer: Uint8Array, crash: Crash): Promise<void> {
  const { core, index, packs, recipes, runtime } = folder;
  const digest = await folder.put(layer);
  const parts: IngestParts = {
    core: crash.watch(core, ['ingest', 'fileIds', 'fileSizes', 'packFiles', 'openRestoration']),
    index: crash.watch(index, ['locate', 'openPack', 'commitLayer', 'sealPack', 'getLayer']),
    packs: crash.watch(packs, ['prepare']),
    recipes: crash.watch(recipes, ['publish', 'discard']),
    clock: runtime.clock,
  };
  const { signal } = new AbortController();
  const path = folder.wholePath(digest);
  await ingestLayer(parts, { digest, path, packOwner: 'test', signal });
  const whole = crash.watch(folder.whole, ['remove']);
  await whole.remove(digest);
}

for (const isAfter of [false, true]) {
  test(`a crash ${isAfter ? 'after' : 'before'} any step loses nothing and leaves nothing`, async (t) => {
    // Plain tars are taken apart at once: no compressor has to be found.
    const before = makeTar(makeFiles(10, 300));
    const layer = makeTar([...makeFiles(10, 300), ...FILES]);
    for (let step = 0; ; step += 1) {
      const path = await makeFolder();
      t.teardown(() => removeFolder(path));
      const index = new MemoryFileIndex();
      const first = await openIn(path, index);
      const kept = await first.putRecipe(before);
      const crash = new Crash(step, isAfter);
      const crashed = await crashAt(first, layer, crash).then(
        () => undefined,
        (error: unknown) => error,
      );
      if (crashed !== undefined && !(crashed instanceof CrashError)) throw crashed;
      await first.store.close();

      const folder = await openIn(path, index);
      const digest = digestBytes(layer);
      for (const [each, bytes] of [
        [kept, before],
        [digest, layer],
      ] as const) {
        const source = await folder.store.open(each);
        sameBytes(t, source && (await readAll(source)), bytes, `step ${step}`);
        source?.close();
      }
      if (await folder.whole.stat(digest)) await folder.ingest(digest);
      await folder.whole.remove(digest);
      t.is(await folder.store.verify(digest), 'whole');
      t.is(await folder.store.verify(kept), 'whole');
      for (const { number, size } of await listAll(folder.packs.list())) {
        t.is((await index.getPack(number))?.size, size, `nothing torn is left at step ${step}`);
      }
      await folder.store.close();
      if (!crash.happened) {
        t.true(step > 8);
        return;
      }
    }
  });
}
