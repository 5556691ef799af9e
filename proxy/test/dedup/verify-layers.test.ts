import { readFile, unlink, writeFile } from 'node:fs/promises';
import test, { type ExecutionContext } from 'ava';
import { verifyLayers } from '../../src/dedup/verify-layers.ts';
import { type DedupFolder, openDedupFolder } from './dedup-folder.ts';
import { listAll, makeFiles, makeTar } from './layers.ts';

const LAYER = makeTar(makeFiles(5, 1));
const OTHER = makeTar(makeFiles(6, 1));

async function open(t: ExecutionContext) {
  const folder: DedupFolder = await openDedupFolder(t);
  const { store, whole, index, recipes, core, runtime } = folder;
  const digest = await folder.put(LAYER);
  await folder.ingest(digest);
  const recipeOnly = await folder.put(OTHER);
  await folder.ingest(recipeOnly);
  await whole.remove(recipeOnly);
  const verify = (repair = false) =>
    verifyLayers({ store, whole, index, recipes, core, clock: runtime.clock, repair });
  return { folder, digest, recipeOnly, verify };
}

test('verifyLayers() makes layers again and counts their files', async (t) => {
  const { verify } = await open(t);
  t.deepEqual(await verify(), { recipes: 2, damage: [] });
});

test('verifyLayers() finds a recipe that no longer makes its layer, and has it made anew', async (t) => {
  const { folder, digest, verify } = await open(t);
  await unlink(folder.recipes.path(digest));
  const found = await verify();
  t.like(found.damage, [{ kind: 'damaged', subject: `recipe of ${digest}`, isRepaired: false }]);
  t.like((await verify(true)).damage, [{ isRepaired: true }]);
  t.is(await folder.index.getLayer(digest), undefined);
  t.deepEqual(
    (await listAll(folder.index.listQueue())).map((entry) => entry.digest),
    [digest],
  );
  t.is(await folder.whole.stat(digest), LAYER.length);
  t.deepEqual((await verify()).damage, []);
  await folder.ingest(digest);
  t.deepEqual(await verify(), { recipes: 2, damage: [] });
});

test('rotten files are in no layer any more once all that have them were repaired', async (t) => {
  const { folder, digest, recipeOnly, verify } = await open(t);
  const pack = folder.packs.path(1);
  const bytes = await readFile(pack);
  for (let at = 200; at < bytes.length; at += 100) bytes[at] = (bytes[at] ?? 0) ^ 1;
  await writeFile(pack, bytes);
  t.is(await folder.store.verify(recipeOnly), 'damaged');
  await folder.store.quarantine(recipeOnly);
  await verify(true);
  t.is((await folder.index.totals()).files.unique, 0);
  t.is((await folder.ingest(digest)).kind, 'recipe');
  await folder.whole.remove(digest);
  t.is(await folder.store.verify(digest), 'whole');
});

test('verifyLayers() tells what the index counts otherwise', async (t) => {
  const { folder, verify } = await open(t);
  const asked: boolean[] = [];
  folder.index.recount = (repair: boolean) => {
    asked.push(repair);
    return Promise.resolve([{ subject: 'sum of files', got: 8, expected: 7 }]);
  };
  const reason = 'the index counts 8, there are 7';
  const miscount = { kind: 'miscounted', subject: 'sum of files', reason } as const;
  t.deepEqual((await verify()).damage, [{ ...miscount, isRepaired: false }]);
  t.deepEqual((await verify(true)).damage, [{ ...miscount, isRepaired: true }]);
  t.deepEqual(asked, [false, true]);
});

test('verifyLayers() takes out layers whose files are counted otherwise than their recipes say', async (t) => {
  const { folder, digest, recipeOnly, verify } = await open(t);
  const isMadeOf = folder.index.isMadeOf.bind(folder.index);
  folder.index.isMadeOf = () => Promise.resolve(false);
  const { damage } = await verify();
  t.true(damage.every(({ kind }) => kind === 'miscounted'));
  const subjects = [digest, recipeOnly].map((layer) => `files of ${layer}`);
  t.deepEqual(new Set(damage.map(({ subject }) => subject)), new Set(subjects));
  t.is((await folder.index.totals()).layers.recipes, 2, 'nothing was changed');
  t.true((await verify(true)).damage.every(({ isRepaired }) => isRepaired));
  folder.index.isMadeOf = isMadeOf;
  t.is((await folder.index.totals()).layers.recipes, 0);
  const queue = await listAll(folder.index.listQueue());
  t.deepEqual(
    queue.map((entry) => entry.digest),
    [digest],
    'the one with a whole copy is taken apart anew',
  );
  t.is(await folder.store.stat(recipeOnly), undefined, 'the other one is fetched');
});
