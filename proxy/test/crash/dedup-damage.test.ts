// Packs, recipes and an index that are damaged, lost or of another version while the server is off: what was
// stored is served as it was or fetched again, and what is of no use any more is given back.

import { cp, readdir, readFile, rm, truncate, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { open as openLmdb } from 'lmdb';
import { nodeRuntime } from '../../src/adapter/node/runtime.ts';
import { ingestLayer } from '../../src/dedup/ingest-layer.ts';
import { loadTierCore } from '../../src/dedup/load-tier-core.ts';
import { openTier } from '../../src/dedup/open-tier.ts';
import { tellLostIndex } from '../../src/dedup/tell-lost-index.ts';
import { verifyLayers } from '../../src/dedup/verify-layers.ts';
import { verifyPacks } from '../../src/dedup/verify-packs.ts';
import type { Digest } from '../../src/oci/digest.ts';
import { BlobPaths } from '../../src/store/blob-paths.ts';
import { openDataFolder } from '../../src/store/data-folder.ts';
import { type Damage, verifyStore } from '../../src/store/verify-store.ts';
import { digestBytes, readAll } from '../conformance/blob-store.ts';
import { makeFiles, makeLayer, makeTar, sameBytes } from '../dedup/layers.ts';
import { MemoryLog, quietLog } from '../doubles/quiet-log.ts';
import { makeFolder, removeFolder } from '../doubles/test-runtime.ts';
import { runMica } from '../peers/mica.ts';
import { startMica } from '../server-under-test.ts';
import { untilIngested } from '../until-ingested.ts';
import { startRegistry } from '../upstream-double/registry.ts';
import { pullImages, REPOSITORY } from './kill-workloads.ts';
import { ageFiles, storedSize } from './leaks.ts';

/** Two that share files, and one alone. */
const LAYERS: ReadonlyMap<Digest, Uint8Array> = new Map(
  [
    makeTar(makeFiles(20, 1)),
    makeLayer([...makeFiles(15, 5), ...makeFiles(5, 900)]),
    makeTar(makeFiles(10, 5000)),
  ].map((bytes) => [digestBytes(bytes), bytes]),
);
const [FIRST, SECOND, THIRD] = [...LAYERS.keys()] as [Digest, Digest, Digest];

const MAX_LEAK_RATIO = 0.01;

const runtime = nodeRuntime();
const loaded = await loadTierCore(runtime, 1, quietLog);
const observer = { damaged: () => undefined, ingested: () => undefined, restored: () => undefined };

type Core = NonNullable<typeof loaded>;

function theCore(): Core {
  if (loaded === undefined) throw new Error('the core does not load');
  return loaded;
}

type Opened = Awaited<ReturnType<typeof openStore>>;

async function openStore(path: string, core: Core | undefined = theCore()) {
  const folder = await openDataFolder({ path, runtime });
  const tier = await openTier({ folder, runtime, log: quietLog, core, observer });
  const close = async () => {
    await tier.close();
    await folder.close();
  };
  return { path, folder, tier, close };
}

/** Fetches a layer and keeps nothing but recipe and files, as a server in mode b does. */
async function fetchLayer({ path, folder, tier }: Opened, digest: Digest): Promise<string> {
  const { packs, recipes } = tier;
  await folder.blobs.put(digest, LAYERS.get(digest) ?? new Uint8Array());
  const outcome = await ingestLayer(
    { core: theCore().ingest, index: folder.files, packs, recipes, clock: runtime.clock },
    {
      ...{ digest, path: new BlobPaths(path).blob(digest), packOwner: 'test' },
      signal: new AbortController().signal,
    },
  );
  await folder.blobs.remove(digest);
  return outcome.kind;
}

async function fill(path: string): Promise<void> {
  const opened = await openStore(path);
  for (const digest of LAYERS.keys()) await fetchLayer(opened, digest);
  await opened.close();
}

/** Made once: taking layers apart is slow next to damaging them. */
const filled = makeFolder().then(async (path) => {
  await fill(path);
  return path;
});

test.after.always(async () => removeFolder(await filled));

async function copyOfFilled(t: ExecutionContext): Promise<string> {
  const path = await makeFolder();
  t.teardown(() => removeFolder(path));
  await cp(await filled, path, { recursive: true });
  return path;
}

/** Reads all layers whole and in part; gives those that are not there, after which they are fetched. */
async function readLayers(t: ExecutionContext, { tier }: Opened): Promise<Digest[]> {
  const gone: Digest[] = [];
  for (const [digest, layer] of LAYERS) {
    const source = await tier.store.open(digest);
    try {
      const part = new Uint8Array(100);
      const count = await source?.read(part, 5000);
      if (count !== undefined)
        sameBytes(t, part.subarray(0, count), layer.subarray(5000, 5000 + count));
      const bytes = source && (await readAll(source));
      if (bytes === undefined) gone.push(digest);
      else sameBytes(t, bytes, layer, `${digest} is served as it is`);
    } catch (error) {
      // The client gets a body that ends short.
      t.is((error as Error).name, 'ShortBlobError');
      gone.push(digest);
    } finally {
      source?.close();
    }
  }
  return gone;
}

async function verify({ path, folder, tier }: Opened, repair: boolean): Promise<Damage[]> {
  const { files: index, blobs: whole } = folder;
  const { store, packs, recipes } = tier;
  const { restore: core } = theCore();
  const found = [
    await verifyPacks({ index, packs, core, repair }),
    await verifyStore({ store, index: folder.index, runtime, folder: path, repair }),
    await verifyLayers({ store, whole, index, recipes, core, clock: runtime.clock, repair }),
  ];
  return found.flatMap(({ damage }) => damage);
}

async function expectServed(t: ExecutionContext, opened: Opened): Promise<void> {
  t.deepEqual(await readLayers(t, opened), []);
  t.deepEqual(await verify(opened, false), []);
}

async function change(path: string, edit: (bytes: Buffer) => void): Promise<void> {
  const bytes = await readFile(path);
  edit(bytes);
  await writeFile(path, bytes);
}

function flipEvery(step: number, from = 0): (bytes: Buffer) => void {
  return (bytes) => {
    for (let at = from; at < bytes.length; at += step) bytes[at] = (bytes[at] ?? 0) ^ 1;
  };
}

const packOf = (path: string): string => join(path, 'packs/00000001.pack');
const recipeOf = (path: string, digest: Digest): string => {
  const hex = digest.slice('sha256:'.length);
  return join(path, 'recipes/sha256', hex.slice(0, 2), hex);
};

async function cutInHalf(path: string): Promise<void> {
  await truncate(path, Math.floor((await readFile(path)).length / 2));
}

const DAMAGES: readonly [string, (path: string) => Promise<void>][] = [
  ['a pack with flipped bits', (path) => change(packOf(path), flipEvery(500, 100))],
  [
    'a pack with a flipped bit at its end',
    (path) => change(packOf(path), (bytes) => flipEvery(1e9, bytes.length - 5)(bytes)),
  ],
  ['a pack that is cut', (path) => cutInHalf(packOf(path))],
  ['a pack that is empty', (path) => truncate(packOf(path), 0)],
  ['a pack that is gone', (path) => unlink(packOf(path))],
  ['a recipe with flipped bits', (path) => change(recipeOf(path, FIRST), flipEvery(50, 7))],
  ['a recipe with one flipped bit', (path) => change(recipeOf(path, FIRST), flipEvery(1e9, 300))],
  ['a recipe that is cut', (path) => cutInHalf(recipeOf(path, FIRST))],
  ['a recipe that is empty', (path) => truncate(recipeOf(path, SECOND), 0)],
  ['a recipe that is gone', (path) => unlink(recipeOf(path, SECOND))],
  ["another layer's recipe", (path) => cp(recipeOf(path, SECOND), recipeOf(path, FIRST))],
];

for (const [title, damage] of DAMAGES) {
  test(`with ${title} layers are served as they are or fetched again`, async (t) => {
    const path = await copyOfFilled(t);
    await damage(path);
    const opened = await openStore(path);
    const gone = await readLayers(t, opened);
    t.true(gone.length > 0, 'what is damaged is noticed');
    for (const digest of gone) {
      t.is(await opened.tier.store.stat(digest), undefined, 'the next request fetches it');
      t.is(await fetchLayer(opened, digest), 'recipe');
    }
    await expectServed(t, opened);
    await opened.close();
  });

  test(`verify finds ${title} and repairs it`, async (t) => {
    const path = await copyOfFilled(t);
    await damage(path);
    const opened = await openStore(path);
    const found = await verify(opened, false);
    t.true(found.length > 0);
    t.deepEqual(await verify(opened, false), found, 'without --repair nothing changes');
    t.true((await verify(opened, true)).every(({ isRepaired }) => isRepaired));
    t.deepEqual(await verify(opened, false), []);
    for (const digest of await readLayers(t, opened)) await fetchLayer(opened, digest);
    await expectServed(t, opened);
    await opened.close();
  });
}

test('a pack whose header is damaged is read on, and another one appended to', async (t) => {
  const path = await copyOfFilled(t);
  await change(packOf(path), flipEvery(1e9));
  const opened = await openStore(path);
  t.deepEqual(await readLayers(t, opened), []);
  t.like(await verify(opened, false), [
    { subject: 'pack 1', reason: 'PACK_MAGIC at 0: 0 of 50 files are lost' },
  ]);
  await opened.tier.store.remove(THIRD);
  t.is(await fetchLayer(opened, THIRD), 'recipe');
  t.true((await opened.folder.files.getPack(1))?.isSealed);
  t.true(((await opened.folder.files.getPack(2))?.liveSize ?? 0) > 0);
  await expectServed(t, opened);
  await opened.close();
});

test('verify repairs a pack whose header is damaged by appending to another one', async (t) => {
  const path = await copyOfFilled(t);
  await change(packOf(path), flipEvery(1e9));
  const opened = await openStore(path);
  t.like(await verify(opened, true), [{ subject: 'pack 1', isRepaired: true }]);
  await expectServed(t, opened);
  t.true((await opened.folder.files.getPack(1))?.isSealed);
  await opened.close();
});

test('without its index a store serves what is fetched, and gives back what was orphaned', async (t) => {
  const path = await copyOfFilled(t);
  const before = await storedSize(path);
  await rm(join(path, 'index'), { recursive: true });
  const opened = await openStore(path);
  t.deepEqual(await readLayers(t, opened), [...LAYERS.keys()], 'nothing is known');
  t.is(await fetchLayer(opened, FIRST), 'recipe', 'over what lies there under the same names');
  await ageFiles(path);
  const { recipes } = await opened.tier.collect();
  t.is(recipes, LAYERS.size - 1, 'recipes of layers that are not known');
  t.true((await storedSize(path)) < before);
  for (const digest of [...LAYERS.keys()].slice(1)) await fetchLayer(opened, digest);
  await expectServed(t, opened);
  await opened.close();
  const after = await storedSize(path);
  t.true(Math.abs(after - before) <= MAX_LEAK_RATIO * before, `${after} bytes, before ${before}`);
});

test('packs that a lost index knew are removed, and their numbers used again', async (t) => {
  const path = await copyOfFilled(t);
  await cp(packOf(path), join(path, 'packs/00000007.pack'));
  await rm(join(path, 'index'), { recursive: true });
  const opened = await openStore(path);
  await ageFiles(path);
  t.is((await opened.tier.collect()).packs, 2);
  t.deepEqual(await readdir(join(path, 'packs')), []);
  for (const digest of LAYERS.keys()) t.is(await fetchLayer(opened, digest), 'recipe');
  await expectServed(t, opened);
  await opened.close();
});

test('a server whose index was lost says so once, and serves what is right meanwhile', async (t) => {
  const upstream = await startRegistry();
  t.teardown(() => upstream.close());
  const folder = await makeFolder();
  t.teardown(() => removeFolder(folder));
  const data = join(folder, 'data');
  const upstreams = { 'docker.io': { url: upstream.url } };
  const putImage = (tag: string, layers: readonly Uint8Array[]) =>
    upstream.putImage({ repository: REPOSITORY, tag, seed: tag, layers });
  const [one = [], other = []] = [[...LAYERS.values()], [makeTar(makeFiles(30, 300))]];
  const images = [putImage('one', one)];
  const config = { dedup: { mode: 'b', replicas: 0, minLayer: 0 } };
  const serve = async (layers: number) => {
    const mica = await startMica({ upstreams, data, config });
    const lost = mica.log().filter(({ msg }) => String(msg).startsWith('the index was lost'));
    t.deepEqual([...new Set(await pullImages(mica, images))], ['whole']);
    await untilIngested(mica, layers, 0);
    t.deepEqual([...new Set(await pullImages(mica, images))], ['whole'], 'made again');
    await mica.stop();
    return lost;
  };
  t.deepEqual(await serve(LAYERS.size), []);
  const orphan = await readFile(packOf(data));
  await rm(join(data, 'index'), { recursive: true });
  images.push(putImage('other', other));
  const [line, ...more] = await serve(LAYERS.size + 1);
  t.like(line, { packs: 1, recipes: LAYERS.size });
  t.true(Number(line?.['bytes']) >= orphan.length);
  t.deepEqual(more, []);
  t.deepEqual(await readFile(packOf(data)), orphan, 'its number is not used again');
  t.deepEqual(await serve(LAYERS.size + 1), [], 'it is told of once');
  await ageFiles(data);
  t.is((await runMica({ folder, data, upstreams }, 'gc')).code, 0);
  t.deepEqual(await readdir(join(data, 'packs')), ['00000002.pack']);
  t.is((await runMica({ folder, data, upstreams }, 'verify')).code, 0);
  t.deepEqual(await serve(LAYERS.size + 1), []);
});

test('an index that is older than the packs serves what it knows', async (t) => {
  const path = await copyOfFilled(t);
  await cp(packOf(path), join(path, 'packs/00000007.pack'));
  const opened = await openStore(path);
  const { files: index } = opened.folder;
  const log = new MemoryLog();
  t.true(await tellLostIndex({ ...opened.tier, index, log }));
  t.like(log.entries, [{ level: 'error', fields: { packs: 1, recipes: 0 } }]);
  t.false(await tellLostIndex({ ...opened.tier, index, log }));
  t.is(log.entries.length, 1);
  t.is((await index.openPack('other')).number, 8);
  await expectServed(t, opened);
  await opened.close();
});

test('without the core layers that are only recipes are fetched, and made again once it is back', async (t) => {
  const path = await copyOfFilled(t);
  const without = await openDataFolder({ path, runtime });
  const tier = await openTier({ folder: without, runtime, log: quietLog, observer });
  for (const [digest, layer] of LAYERS) {
    t.is(await tier.store.stat(digest), undefined);
    t.is(await tier.store.open(digest), undefined);
    if (digest !== FIRST) continue;
    await tier.store.put(digest, layer);
    sameBytes(t, await tier.store.read(digest), layer);
  }
  await tier.collect();
  await tier.close();
  await without.close();
  const opened = await openStore(path);
  await expectServed(t, opened);
  await opened.close();
});

async function setVersion(path: string, version: number | undefined): Promise<void> {
  const root = openLmdb({ path: join(path, 'index'), maxDbs: 32 });
  const about = root.openDB<number, string>({ name: 'about' });
  if (version === undefined) about.removeSync('version');
  else about.putSync('version', version);
  await root.close();
}

test('an index without a version is taken on, one of a newer Mica is refused with what to do', async (t) => {
  const path = await copyOfFilled(t);
  await setVersion(path, undefined);
  const opened = await openStore(path);
  await expectServed(t, opened);
  await opened.close();
  await setVersion(path, 2);
  await t.throwsAsync(openStore(path), { code: 'DATA_FOLDER_TOO_NEW', message: /update Mica/ });
  await setVersion(path, 1);
  const again = await openStore(path);
  await expectServed(t, again);
  await again.close();
});
