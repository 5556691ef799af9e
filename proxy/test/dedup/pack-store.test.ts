import { appendFile, readFile, stat, truncate, unlink, writeFile } from 'node:fs/promises';
import test, { type ExecutionContext } from 'ava';
import { openPackStore, PackCutError } from '../../src/dedup/pack-store.ts';
import { makeFolder, makeTestRuntime, removeFolder } from '../doubles/test-runtime.ts';
import { listAll } from './layers.ts';

async function open(t: ExecutionContext) {
  const folder = await makeFolder();
  t.teardown(() => removeFolder(folder));
  return { folder, packs: await openPackStore(folder, makeTestRuntime().files) };
}

test('prepare() makes a pack, and cuts off what a crash left behind its end', async (t) => {
  const { folder, packs } = await open(t);
  const path = await packs.prepare(26, 0);
  t.is(path, `${folder}/packs/0000001a.pack`);
  await appendFile(path, 'kept, and torn');
  t.is(await packs.prepare(26, 4), path);
  t.is(await readFile(path, 'utf8'), 'kept');
});

test('prepare() refuses a pack that lost bytes, and does not make one anew', async (t) => {
  const { packs } = await open(t);
  const path = await packs.prepare(1, 0);
  await writeFile(path, 'kept');
  await truncate(path, 3);
  const cut = await t.throwsAsync(packs.prepare(1, 4), { instanceOf: PackCutError });
  t.like(cut, { code: 'PACK_CUT', got: 3, expected: 4 });
  await unlink(path);
  await t.throwsAsync(packs.prepare(1, 4), { instanceOf: PackCutError });
  await t.throwsAsync(stat(path), { code: 'ENOENT' });
});

test('list() gives the packs on the disk and nothing else', async (t) => {
  const { folder, packs } = await open(t);
  for (const number of [3, 0x0100_0000]) await writeFile(await packs.prepare(number, 0), 'pack');
  await writeFile(`${folder}/packs/notes.txt`, 'not a pack');
  const listed = await listAll(packs.list());
  listed.sort((one, other) => one.number - other.number);
  t.deepEqual(
    listed.map(({ number, size }) => [number, size]),
    [
      [3, 4],
      [0x0100_0000, 4],
    ],
  );
  await packs.remove(3);
  await packs.remove(3);
  t.is((await listAll(packs.list())).length, 1);
});
