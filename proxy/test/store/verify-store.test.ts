import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { openRecipeStore } from '../../src/dedup/recipe-store.ts';
import { openDataFolder } from '../../src/store/data-folder.ts';
import { verifyStore } from '../../src/store/verify-store.ts';
import { MemoryBlobStore } from '../doubles/memory-blob-store.ts';
import { MemoryIndex } from '../doubles/memory-index.ts';
import { makeFolder, makeTestRuntime, removeFolder } from '../doubles/test-runtime.ts';
import { storeLayer, storeManifest } from './store-images.ts';

function setUp() {
  const store = new MemoryBlobStore();
  const index = new MemoryIndex();
  const verify = (repair: boolean, onProgress?: (done: number, total: number) => void) =>
    verifyStore({
      store,
      index,
      runtime: makeTestRuntime(),
      folder: '/nonexistent',
      repair,
      ...(onProgress === undefined ? {} : { onProgress }),
    });
  return { store, index, verify };
}

test('verifyStore() finds nothing when everything is whole, and tells how far it is', async (t) => {
  const { store, index, verify } = setUp();
  const layer = await storeLayer(store, 'layer', 5000);
  const manifest = await storeManifest({ store, index, nowMs: 0 }, { blobs: [layer] });
  const steps: number[][] = [];
  const report = await verify(false, (done, total) => steps.push([done, total]));
  const bytes = 5000 + manifest.size;
  t.deepEqual(report, { blobs: 2, bytes, manifests: 1, damage: [] });
  t.deepEqual(steps.at(-1), [bytes, bytes]);
});

test('verifyStore() reports a damaged blob and leaves it when it is not to repair', async (t) => {
  const { store, verify } = setUp();
  const { digest } = await storeLayer(store, 'layer', 5000);
  store.damage(digest);
  const { damage } = await verify(false);
  t.deepEqual(damage, [{ kind: 'damaged', subject: digest, isRepaired: false }]);
  t.is(await store.stat(digest), 5000);
});

test('verifyStore() quarantines a damaged layer and keeps its membership when it repairs', async (t) => {
  const { store, index, verify } = setUp();
  const layer = await storeLayer(store, 'layer', 5000);
  const repository = 'docker.io/library/debian';
  const manifest = await storeManifest({ store, index, nowMs: 0 }, { repository, blobs: [layer] });
  store.damage(layer.digest);
  const { damage } = await verify(true);
  t.deepEqual(damage, [{ kind: 'damaged', subject: layer.digest, isRepaired: true }]);
  t.deepEqual(store.quarantined, [layer.digest]);
  t.not(await index.getMembership(repository, layer.digest), undefined);
  t.not(await index.getManifest(manifest.digest), undefined);
  t.deepEqual((await verify(false)).damage, []);
});

test('verifyStore() takes a damaged manifest and its tags out of the index when it repairs', async (t) => {
  const { store, index, verify } = setUp();
  const manifest = await storeManifest({ store, index, nowMs: 0 }, { tag: '12' });
  store.damage(manifest.digest);
  await verify(true);
  t.is(await index.getManifest(manifest.digest), undefined);
  for await (const tag of index.listTags()) t.fail(`${tag.tag} is still there`);
});

test('verifyStore() finds a manifest without its bytes', async (t) => {
  const { store, index, verify } = setUp();
  const manifest = await storeManifest({ store, index, nowMs: 0 }, { tag: '12' });
  await store.remove(manifest.digest);
  const found = { kind: 'missing', subject: manifest.digest };
  t.like((await verify(false)).damage, [{ ...found, isRepaired: false }]);
  t.like((await verify(true)).damage, [{ ...found, isRepaired: true }]);
  t.deepEqual((await verify(false)).damage, []);
});

test('verifyStore() reports what cannot be checked and goes on', async (t) => {
  const { store, verify } = setUp();
  const { digest } = await storeLayer(store, 'layer', 5000);
  store.verify = () => Promise.reject(new Error('input/output error'));
  const reason = 'input/output error';
  const expected = [{ kind: 'unreadable' as const, subject: digest, reason, isRepaired: false }];
  t.deepEqual((await verify(true)).damage, expected);
});

test('verifyStore() moves files in wrong places to quarantine when it repairs', async (t) => {
  const path = await makeFolder();
  const runtime = makeTestRuntime();
  const folder = await openDataFolder({ path, runtime });
  t.teardown(async () => {
    await folder.close();
    await removeFolder(path);
  });
  const kept = await storeLayer(folder.blobs, 'kept', 100);
  const hex = 'ab'.repeat(32);
  await mkdir(join(path, 'blobs/sha256/00'), { recursive: true });
  const recipes = await openRecipeStore(path, runtime);
  const made = recipes.temporary(kept.digest);
  await writeFile(made, 'recipe');
  await recipes.publish(made, kept.digest);
  await recipes.putPlaces(kept.digest, Buffer.from('places'));
  await writeFile(recipes.temporary(kept.digest), 'in the making');
  await mkdir(join(path, 'recipes/sha256/00'), { recursive: true });
  const strays = [
    ...[`blobs/sha256/00/${hex}`, 'blobs/sha256/00/notes.txt', 'blobs/x', 'fills/y'],
    ...[`recipes/sha256/00/${hex}`, `recipes/sha256/00/${hex}.places`, 'recipes/sha256/00/.places'],
  ];
  for (const stray of strays) await writeFile(join(path, stray), 'stray');
  const parts = { store: folder.blobs, index: folder.index, runtime, folder: path };
  const found = await verifyStore({ ...parts, repair: true });
  const misplaced = strays.map((stray) => join(path, stray));
  const subjects = found.damage.filter((each) => each.kind === 'misplaced').map((d) => d.subject);
  t.deepEqual(subjects.sort(byText), misplaced.sort(byText));
  t.is((await readdir(join(path, 'quarantine'))).length, strays.length);
  t.deepEqual((await verifyStore({ ...parts, repair: false })).damage, []);
  t.is(await folder.blobs.stat(kept.digest), 100);
  t.is((await recipes.readPlaces(kept.digest, 100))?.length, 6);
});

function byText(one: string, other: string): number {
  return one < other ? -1 : 1;
}
