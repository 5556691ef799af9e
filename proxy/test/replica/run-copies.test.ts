import { setImmediate as turn } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import type { Digest } from '../../src/oci/digest.ts';
import { RunCopies, type RunCopiesOptions } from '../../src/replica/run-copies.ts';
import { readAll } from '../conformance/blob-store.ts';
import { openDedupFolder, openSource, readAt, readThrough } from '../dedup/dedup-folder.ts';
import { listAll, makeFiles, makeLayer, sameBytes } from '../dedup/layers.ts';
import { quietLog } from '../doubles/quiet-log.ts';
import { TestSpace } from '../pull/mirror-under-test.ts';

/** Some parts, so that there is a middle. */
const LAYER = makeLayer(makeFiles(60, 1, 80_000), 1);

interface Setup extends Partial<RunCopiesOptions> {
  readonly isWanted?: boolean;
}

async function open(t: ExecutionContext, { isWanted = true, ...options }: Setup = {}) {
  const runs: { copies?: RunCopies } = {};
  const folder = await openDedupFolder(t, { copyRun: (digest) => runs.copies?.begin(digest) });
  const space = new TestSpace();
  const stored: number[] = [];
  const told = { promoted: 0, damaged: [] as Digest[] };
  const copies = new RunCopies({
    ...{ whole: folder.whole, files: folder.index, space, log: quietLog },
    copies: {
      isWanted: () => Promise.resolve(isWanted),
      stored: (size) => Promise.resolve(void stored.push(size)),
    },
    observer: {
      promoted: () => {
        told.promoted += 1;
      },
    },
    onDamaged: (digest) => Promise.resolve(void told.damaged.push(digest)),
    ...options,
  });
  t.teardown(() => copies.close());
  const digest = await folder.putRecipe(LAYER);
  runs.copies = copies;
  return { folder, space, copies, told, stored, digest };
}

/** Waits for what is written beside those who read. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await turn();
}

test('what a client read to the end is whole then, and was made once', async (t) => {
  const { folder, space, told, stored, digest } = await open(t);
  sameBytes(t, await readThrough(folder, digest), LAYER);
  await until(() => told.promoted === 1);
  sameBytes(t, await folder.whole.read(digest), LAYER);
  t.deepEqual(stored, [LAYER.length]);
  t.is(space.promised, 0);
  t.false(space.mayEvict, 'no image goes for a copy');
});

test('a client that leaves leaves what it got, and the next one goes on from there', async (t) => {
  const { folder, space, told, digest } = await open(t);
  const first = await openSource(folder, digest);
  await readAt(first, 0, LAYER.length >> 1);
  first.close();
  await until(() => !folder.whole.isBusy(digest));
  const [partial] = await listAll(folder.whole.partials());
  t.true((partial?.size ?? 0) > 0 && (partial?.size ?? 0) < LAYER.length);
  t.is(told.promoted, 0);
  sameBytes(t, await readThrough(folder, digest), LAYER);
  await until(() => told.promoted === 1);
  sameBytes(t, await folder.whole.read(digest), LAYER);
  t.is(space.promised, 0);
});

test('a range from the middle is no copy', async (t) => {
  const { folder, space, told, digest } = await open(t);
  const reader = await openSource(folder, digest);
  await readAt(reader, LAYER.length - 10, 10);
  reader.close();
  await until(() => !folder.whole.isBusy(digest) && space.promised === 0);
  t.is(told.promoted, 0);
  t.deepEqual(await listAll(folder.whole.partials()), []);
});

for (const [why, setup] of [
  ['it is not wanted', { isWanted: false }],
  ['there is no room', {}],
] as const) {
  test(`a client gets all bytes, and no copy is made, where ${why}`, async (t) => {
    const { folder, space, told, digest } = await open(t, setup);
    space.isRoomy = false;
    sameBytes(t, await readThrough(folder, digest), LAYER);
    await until(() => !folder.whole.isBusy(digest));
    t.is(await folder.whole.stat(digest), undefined);
    t.is(told.promoted, 0);
  });
}

test('a copy that is begun by others already is left to them', async (t) => {
  const { folder, told, digest } = await open(t);
  const other = await folder.whole.begin(digest);
  sameBytes(t, await readThrough(folder, digest), LAYER);
  await other.discard();
  await other.close();
  t.is(told.promoted, 0);
});

test('a disk that fails costs the copy, not the client', async (t) => {
  const { folder, space, told, digest } = await open(t);
  const begin = folder.whole.begin.bind(folder.whole);
  folder.whole.begin = async (one) => {
    const partial = await begin(one);
    partial.append = () => Promise.reject(Object.assign(new Error('full'), { code: 'ENOSPC' }));
    return partial;
  };
  sameBytes(t, await readThrough(folder, digest), LAYER);
  await until(() => !folder.whole.isBusy(digest));
  t.is(await folder.whole.stat(digest), undefined);
  t.deepEqual(await listAll(folder.whole.partials()), []);
  t.deepEqual([told.promoted, told.damaged, space.promised], [0, [], 0]);
});

test('wrong bytes that an earlier fill left are no damage of the layer', async (t) => {
  const { folder, told, digest } = await open(t);
  const partial = await folder.whole.begin(digest);
  await partial.append(new Uint8Array(100));
  await partial.suspend();
  await partial.close();
  sameBytes(t, await readThrough(folder, digest), LAYER);
  await until(() => !folder.whole.isBusy(digest));
  t.is(await folder.whole.stat(digest), undefined);
  t.deepEqual(await listAll(folder.whole.partials()), []);
  t.deepEqual(told, { promoted: 0, damaged: [] });
});

test('close() ends a copy that waits for its reader, and keeps what was written', async (t) => {
  const { folder, copies, space, digest } = await open(t);
  const reader = await openSource(folder, digest);
  await readAt(reader, 0, 10);
  await copies.close();
  t.false((await listAll(folder.whole.partials())).length > 1);
  t.is(space.promised, 0);
  sameBytes(t, await readAll(reader), LAYER);
  reader.close();
  t.is(await folder.whole.stat(digest), undefined);
});
