import { readdir, readFile, writeFile } from 'node:fs/promises';
import test, { type ExecutionContext } from 'ava';
import { openRecipeStore } from '../../src/dedup/recipe-store.ts';
import { digestBytes, makeBytes } from '../conformance/blob-store.ts';
import { FakeClock } from '../doubles/fake-clock.ts';
import { makeFolder, makeTestRuntime, removeFolder } from '../doubles/test-runtime.ts';
import { listAll } from './layers.ts';

const DIGEST = digestBytes(makeBytes(10));
const DAY_MS = 24 * 60 * 60 * 1000;

async function open(t: ExecutionContext) {
  const folder = await makeFolder();
  t.teardown(() => removeFolder(folder));
  const clock = new FakeClock(Date.now());
  const runtime = makeTestRuntime({ clock });
  return { folder, clock, runtime, recipes: await openRecipeStore(folder, runtime) };
}

test('publish() gives a recipe its name, over one that is there', async (t) => {
  const { folder, recipes } = await open(t);
  for (const text of ['first', 'second']) {
    const made = recipes.temporary(DIGEST);
    await writeFile(made, text);
    await recipes.publish(made, DIGEST);
    t.is(await readFile(recipes.path(DIGEST), 'utf8'), text);
  }
  t.deepEqual(await readdir(`${folder}/recipes/new`), []);
  const listed = await listAll(recipes.list());
  t.deepEqual(
    listed.map(({ digest, size }) => [digest, size]),
    [[DIGEST, 6]],
  );
  await recipes.remove(DIGEST);
  await recipes.remove(DIGEST);
  t.deepEqual(await listAll(recipes.list()), []);
});

test('openRecipeStore() removes recipes that nobody ended, once they are old', async (t) => {
  const { folder, clock, runtime, recipes } = await open(t);
  await writeFile(recipes.temporary(DIGEST), 'unfinished');
  await openRecipeStore(folder, runtime);
  t.is((await readdir(`${folder}/recipes/new`)).length, 1, 'it may be in the making');
  await clock.advance(2 * DAY_MS);
  await openRecipeStore(folder, runtime);
  t.deepEqual(await readdir(`${folder}/recipes/new`), []);
});
