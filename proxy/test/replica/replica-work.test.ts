// Modes that change from one start to the next: what a start finds is what any start before left.

import { writeFile } from 'node:fs/promises';
import test, { type ExecutionContext } from 'ava';
import type { Config } from '../../src/config/config.ts';
import { collectPacks } from '../../src/dedup/collect-packs.ts';
import type { Digest } from '../../src/oci/digest.ts';
import { makePieces } from '../../src/replica/layer-pieces.ts';
import { promoteLayer } from '../../src/replica/promote.ts';
import { ReplicaWork } from '../../src/replica/replica-work.ts';
import { WholeCopies } from '../../src/replica/whole-copies.ts';
import { type DedupFolder, openDedupFolder } from '../dedup/dedup-folder.ts';
import { listAll, makeFiles, makeTar, sameBytes } from '../dedup/layers.ts';
import { FakeClock } from '../doubles/fake-clock.ts';
import { MemoryIndex } from '../doubles/memory-index.ts';
import { MemoryLog, quietLog } from '../doubles/quiet-log.ts';
import { TestSpace } from '../pull/mirror-under-test.ts';

type Dedup = Partial<Config['dedup']>;

const LAYERS = [1, 50, 100].map((seed) => makeTar(makeFiles(3, seed)));

const MODES: readonly Dedup[] = [
  { mode: 'off' },
  { mode: 'b', replicas: 1 },
  { mode: 'b', replicas: 0 },
  { mode: 's', rawBudget: { kind: 'bytes', bytes: 40_000 } },
];

interface WorkParts {
  readonly space?: TestSpace;
  readonly counts?: ReadonlyMap<Digest, number>;
  readonly isBusy?: () => boolean;
  readonly clock?: FakeClock;
  readonly log?: MemoryLog;
}

function makeWork(folder: DedupFolder, dedup: Dedup, parts: WorkParts = {}) {
  const { whole, index: files, runtime, store, restorations } = folder;
  const { space = new TestSpace(), counts = new Map(), clock = new FakeClock() } = parts;
  const log = parts.log ?? quietLog;
  const defaults: Config['dedup'] = {
    mode: 's',
    replicas: 1,
    rawBudget: { kind: 'bytes', bytes: 0 },
    minLayer: 1,
    workers: 'auto',
    predict: true,
  };
  const config: Pick<Config, 'data' | 'quota' | 'dedup'> = {
    data: folder.path,
    quota: { kind: 'bytes', bytes: 1e9 },
    dedup: { ...defaults, ...dedup },
  };
  const told = { promoted: 0, demoted: 0 };
  const observer = {
    promoted: () => {
      told.promoted += 1;
    },
    demoted: (layers: number) => {
      told.demoted += layers;
    },
  };
  const popularity = { countOf: (digest: Digest) => counts.get(digest) ?? 0 };
  const copies = new WholeCopies({
    ...{ config, whole, files, index: new MemoryIndex(), popularity, runtime, observer, log },
  });
  const promoting = {
    ...{ whole, space, files, mayEvict: true },
    pieces: (digest: Digest, start: number, signal: AbortSignal) =>
      makePieces((one) => restorations.openAlone(one), digest, start, signal),
    onDamaged: async (digest: Digest) => {
      await store.removeRecipe(digest);
    },
    untilQuiet: () => Promise.resolve(),
  };
  const work = new ReplicaWork({
    ...{ config, copies, whole, store, files, clock, observer, log },
    isBusy: parts.isBusy ?? (() => false),
    promote: (digest, signal) => promoteLayer(promoting, digest, signal),
    reclaim: () => collectPacks(folder),
  });
  return { work, told, copies, clock };
}

/** A folder with all layers as recipes, and whole copies of those with these numbers. */
async function open(t: ExecutionContext, whole: readonly number[]) {
  const folder = await openDedupFolder(t);
  const digests: Digest[] = [];
  for (const layer of LAYERS) digests.push(await folder.putRecipe(layer));
  for (const at of whole) await folder.put(LAYERS[at] ?? new Uint8Array());
  return { folder, digests };
}

async function wholeOf(folder: DedupFolder, digests: readonly Digest[]): Promise<number> {
  const sizes = await Promise.all(digests.map((digest) => folder.whole.stat(digest)));
  return sizes.filter((size) => size !== undefined).length;
}

async function checkMode(
  t: ExecutionContext,
  folder: DedupFolder,
  digests: Digest[],
  dedup: Dedup,
) {
  const whole = await wholeOf(folder, digests);
  const recipes = (await listAll(folder.index.listLayers())).length;
  switch (dedup.mode) {
    case 'off':
      t.is(whole, 3);
      t.is(recipes, 0);
      t.deepEqual(await listAll(folder.packs.list()), []);
      t.deepEqual(await listAll(folder.recipes.list()), []);
      break;
    case 'b':
      t.is(whole, dedup.replicas === 0 ? 0 : 3);
      t.is(recipes, 3);
      break;
    default:
      t.true(whole >= 1 && whole < 3, `${whole} copies fit`);
      t.is(recipes, 3);
  }
  for (const [at, digest] of digests.entries())
    sameBytes(t, await folder.store.read(digest), LAYERS[at] ?? new Uint8Array());
}

for (const to of MODES) {
  for (const whole of [[], [1], [0, 1, 2]]) {
    const name = `${to.mode}${to.replicas ?? ''}`;
    test(`with ${whole.length} of 3 layers whole, mode ${name} gets what it says`, async (t) => {
      const { folder, digests } = await open(t, whole);
      const counts = new Map(digests.map((digest) => [digest, 5]));
      const { work } = makeWork(folder, to, { counts });
      t.true(await work.round());
      await checkMode(t, folder, digests, to);
      t.true(await work.round(), 'and there is nothing more to do');
      await checkMode(t, folder, digests, to);
    });
  }
}

/** Fails once at the nth call of what changes something, as a crash there would. */
function failAt(folder: DedupFolder, step: number): { readonly reached: () => boolean } {
  let calls = 0;
  const guard =
    <A extends unknown[], R>(real: (...args: A) => Promise<R>) =>
    (...args: A): Promise<R> => {
      calls += 1;
      return calls === step ? Promise.reject(new Error('crash')) : real(...args);
    };
  const { whole, index, recipes, store } = folder;
  const begin = whole.begin.bind(whole);
  whole.begin = guard(async (digest: Digest) => {
    const partial = await begin(digest);
    partial.append = guard(partial.append.bind(partial));
    partial.commit = guard(partial.commit.bind(partial));
    return partial;
  });
  whole.remove = guard(whole.remove.bind(whole));
  index.removeLayer = guard(index.removeLayer.bind(index));
  recipes.remove = guard(recipes.remove.bind(recipes));
  store.removeRecipe = guard(store.removeRecipe.bind(store));
  index.removePack = guard(index.removePack.bind(index));
  return { reached: () => calls >= step };
}

for (const to of MODES) {
  const name = `${to.mode}${to.replicas ?? ''}`;
  test(`after a crash at any step the next start ends what mode ${name} began`, async (t) => {
    for (let step = 1; ; step += 1) {
      const { folder, digests } = await open(t, [1]);
      const counts = new Map(digests.map((digest) => [digest, 5]));
      const { reached } = failAt(folder, step);
      await makeWork(folder, to, { counts })
        .work.round()
        .catch((error: unknown) => t.is(error instanceof Error && error.message, 'crash'));
      for (const [at, digest] of digests.entries())
        sameBytes(t, await folder.store.read(digest), LAYERS[at] ?? new Uint8Array());
      if (!reached()) {
        t.true(step > 1 || to.mode === 's');
        break;
      }
      for (let round = 0; round < 3; round += 1)
        await makeWork(folder, to, { counts }).work.round();
      // A recipe that the index has forgotten, and a pack without a file, are the collection's.
      if (to.mode === 'off') {
        for (const { digest } of await listAll(folder.recipes.list()))
          await folder.recipes.remove(digest);
        await collectPacks(folder);
      }
      await checkMode(t, folder, digests, to);
    }
  });
}

test('without room layers stay recipes, and are tried again', async (t) => {
  const { folder, digests } = await open(t, []);
  const space = new TestSpace();
  space.isRoomy = false;
  for (const to of MODES.slice(0, 2)) {
    t.false(await makeWork(folder, to, { space }).work.round());
    t.is(await wholeOf(folder, digests), 0);
    t.is((await listAll(folder.index.listLayers())).length, 3);
  }
  space.isRoomy = true;
  t.true(await makeWork(folder, { mode: 'b', replicas: 1 }, { space }).work.round());
  t.is(await wholeOf(folder, digests), 3);
});

test('in mode s a layer takes the place of another, and the budget is kept all the time', async (t) => {
  const { folder, digests } = await open(t, [0]);
  const [first = '' as Digest, second = '' as Digest] = digests;
  const bytes = Math.ceil((1.2 * (LAYERS[0]?.length ?? 0)) / 4096) * 4096;
  const counts = new Map([[first, 2]]);
  const { work, told } = makeWork(folder, { rawBudget: { kind: 'bytes', bytes } }, { counts });
  t.true(await work.round());
  t.deepEqual(told, { promoted: 0, demoted: 0 });
  counts.set(second, 20);
  const begin = folder.whole.begin.bind(folder.whole);
  folder.whole.begin = async (digest) => {
    t.is(await wholeOf(folder, digests), 0, 'the other one has gone');
    return await begin(digest);
  };
  t.true(await work.round());
  t.deepEqual(told, { promoted: 1, demoted: 1 });
  t.is(await wholeOf(folder, [second]), 1);
  counts.set(first, 22);
  t.true(await work.round());
  t.deepEqual(told, { promoted: 1, demoted: 1 }, 'it does not come back for a little');
});

test('a layer that cannot be made now keeps no other from its turn', async (t) => {
  const { folder, digests } = await open(t, []);
  const openAlone = folder.restorations.openAlone.bind(folder.restorations);
  let calls = 0;
  folder.restorations.openAlone = (digest) => {
    calls += 1;
    const failure = Object.assign(new Error('too many files'), { code: 'EMFILE' });
    return calls === 1 ? Promise.reject(failure) : openAlone(digest);
  };
  t.false(await makeWork(folder, { mode: 'b', replicas: 1 }).work.round());
  t.is(await wholeOf(folder, digests), 2);
  t.true(await makeWork(folder, { mode: 'b', replicas: 1 }).work.round());
  await checkMode(t, folder, digests, { mode: 'b', replicas: 1 });
});

test('in mode off a recipe goes only when its whole copy is right', async (t) => {
  const { folder, digests } = await open(t, [0, 1, 2]);
  const [first = '' as Digest] = digests;
  await writeFile(folder.wholePath(first), LAYERS[1] ?? '');
  const { work } = makeWork(folder, { mode: 'off' });
  t.false(await work.round());
  t.is((await folder.index.getLayer(first))?.kind, 'recipe');
  t.true(await work.round());
  await checkMode(t, folder, digests, { mode: 'off' });
});

test('in mode off a layer that is read keeps its recipe until nobody reads it', async (t) => {
  const { folder, digests } = await open(t, []);
  const [first = '' as Digest] = digests;
  const source = await folder.store.open(first);
  const { work } = makeWork(folder, { mode: 'off' });
  t.false(await work.round());
  t.is((await folder.index.getLayer(first))?.kind, 'recipe');
  source?.close();
  t.true(await work.round());
  await checkMode(t, folder, digests, { mode: 'off' });
});

test('in mode off nothing waits to be taken apart', async (t) => {
  const { folder } = await open(t, []);
  await folder.index.enqueue(await folder.put(makeTar(makeFiles(2, 900))), 1);
  await makeWork(folder, { mode: 'off' }).work.round();
  t.deepEqual(await listAll(folder.index.listQueue()), []);
});

test('a conversion says how many layers it is about', async (t) => {
  const { folder } = await open(t, [1]);
  const log = new MemoryLog();
  const { work, told } = makeWork(folder, { mode: 'b', replicas: 1 }, { log });
  await work.round();
  const [begun, ended] = log.entries.map(({ fields }) => fields);
  t.like(begun, { mode: 'b', layers: 2 });
  t.like(ended, { mode: 'b', layers: 2, left: 0 });
  t.is(told.promoted, 2);
  await makeWork(folder, { mode: 'b', replicas: 1 }, { log }).work.round();
  t.is(log.entries.length, 2, 'nothing is said of nothing');
});

test('a started work waits while the mirror is busy, works when it is woken, and ends', async (t) => {
  const { folder, digests } = await open(t, []);
  let isBusy = true;
  const { work, clock } = makeWork(folder, { mode: 'b', replicas: 1 }, { isBusy: () => isBusy });
  work.start();
  t.is(clock.sleeping, 0);
  work.wake();
  const until = async (condition: () => Promise<boolean>) => {
    while (!(await condition())) await clock.advance(100);
  };
  await until(() => Promise.resolve(clock.sleeping > 0));
  await clock.advance(2000);
  t.is(await wholeOf(folder, digests), 0);
  isBusy = false;
  await until(async () => (await wholeOf(folder, digests)) === 3);
  await work.close();
});
