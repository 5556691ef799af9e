import test, { type ExecutionContext } from 'ava';
import type { Config, Quota } from '../../src/config/config.ts';
import type { Digest } from '../../src/oci/digest.ts';
import { WholeCopies } from '../../src/replica/whole-copies.ts';
import { makeBytes } from '../conformance/blob-store.ts';
import { openDedupFolder } from '../dedup/dedup-folder.ts';
import { makeFiles, makeTar } from '../dedup/layers.ts';
import { MemoryIndex } from '../doubles/memory-index.ts';
import { quietLog } from '../doubles/quiet-log.ts';

type Dedup = Config['dedup'];

async function open(t: ExecutionContext, dedup: Partial<Dedup>, layers = 4) {
  const folder = await openDedupFolder(t);
  const index = new MemoryIndex();
  const awaited = new Set<Digest>();
  const counts = new Map<Digest, number>();
  const copies = new WholeCopies({
    config: {
      data: folder.path,
      quota: { kind: 'bytes', bytes: 10 ** 9 },
      dedup: {
        ...{
          mode: 's',
          replicas: 1,
          rawBudget: bytes(0),
          minLayer: 1,
          workers: 'auto',
          predict: true,
        },
        ...dedup,
      },
    },
    ...{ whole: folder.whole, files: folder.index, index, runtime: folder.runtime, log: quietLog },
    popularity: { countOf: (digest) => counts.get(digest) ?? 0 },
    observer: { demoted: () => undefined },
    isAwaited: (digest) => awaited.has(digest),
  });
  const digests: Digest[] = [];
  for (let seed = 0; seed < layers; seed += 1) {
    const digest = await folder.put(makeTar(makeFiles(2, 50 * seed)));
    await folder.ingest(digest);
    // Used in this order, long after the files were written.
    index.touch(digest, Date.now() + 10_000_000 + seed);
    digests.push(digest);
  }
  const whole = async () => {
    const sizes = await Promise.all(digests.map((digest) => folder.whole.stat(digest)));
    return digests.filter((_, at) => sizes[at] !== undefined);
  };
  const sizeOf = async (digest: Digest) => (await folder.store.stat(digest)) ?? 0;
  return { folder, copies, digests, whole, sizeOf, counts, awaited };
}

/** Those that are only recipes. */
async function lacking(
  folder: Awaited<ReturnType<typeof openDedupFolder>>,
  digests: readonly Digest[],
): Promise<Digest[]> {
  const sizes = await Promise.all(digests.map((digest) => folder.whole.stat(digest)));
  return digests.filter((_, at) => sizes[at] === undefined);
}

function bytes(count: number): Quota {
  return { kind: 'bytes', bytes: count };
}

/** What nobody asked for is made whole by nobody. */
test('in mode s a layer that is hardly asked for is not made whole', async (t) => {
  const { copies, digests, counts } = await open(t, { rawBudget: bytes(1e9) });
  const [first = '' as Digest] = digests;
  await copies.remove([first]);
  counts.set(first, 1);
  t.deepEqual(await copies.plan(), []);
  counts.set(first, 2);
  t.is((await copies.plan())[0]?.layer.digest, first);
});

test('in mode b without replicas a copy goes as soon as its layer has a recipe', async (t) => {
  const { copies, digests, whole, folder } = await open(t, { mode: 'b', replicas: 0 });
  const [first = '' as Digest, ...others] = digests;
  await copies.ingested(first, 1);
  t.deepEqual(await whole(), others);
  await copies.trim();
  t.deepEqual(await whole(), []);
  for (const digest of digests) t.is(await folder.store.verify(digest), 'whole');
});

for (const dedup of [{ mode: 'b', replicas: 1 }, { mode: 'off' }] as const) {
  test(`in mode ${dedup.mode} with copies all of them stay`, async (t) => {
    const { copies, digests, whole } = await open(t, dedup);
    await copies.trim();
    await copies.ingested(digests[0] ?? ('' as Digest), 5000);
    t.deepEqual(await whole(), digests);
  });
}

test('in mode s among layers that nobody asks for those used last stay inside the budget', async (t) => {
  const { copies, digests, whole } = await open(t, { rawBudget: bytes(30_000) });
  await copies.trim();
  const kept = await whole();
  t.true(kept.length > 0 && kept.length < digests.length);
  t.deepEqual(kept, digests.slice(-kept.length));
});

test('in mode s those stay that save most for their size', async (t) => {
  const { copies, digests, whole, counts } = await open(t, { rawBudget: bytes(30_000) });
  const [first = '' as Digest] = digests;
  counts.set(first, 5);
  await copies.trim();
  const kept = await whole();
  t.true(kept.length < digests.length);
  t.is(kept[0], first, 'it was used longest ago');
});

test('in mode s a layer that is made anyway stays while there is room, then if others are worth less', async (t) => {
  const { copies, digests, folder, counts, sizeOf } = await open(t, { rawBudget: bytes(30_000) });
  const isWanted = async (digest: Digest) => {
    const record = await folder.index.getLayer(digest);
    if (record?.kind !== 'recipe') throw new Error('it has no recipe');
    return await copies.isWanted(digest, record);
  };
  for (const digest of digests) counts.set(digest, 2);
  const [first = '' as Digest] = digests;
  await copies.remove(digests);
  t.false(await isWanted(first), 'nobody knows yet what there is');
  await copies.trim();
  t.true(await isWanted(first));
  await folder.put((await folder.store.read(first)) ?? new Uint8Array());
  for (const digest of digests.slice(1)) {
    await folder.put((await folder.store.read(digest)) ?? new Uint8Array());
    await copies.stored(await sizeOf(digest));
  }
  const [gone = '' as Digest] = await lacking(folder, digests);
  counts.set(gone, 2);
  t.false(await isWanted(gone), 'it is worth what the others are worth');
  counts.set(gone, 4);
  t.true(await isWanted(gone));
});

for (const [dedup, isWanted] of [
  [{ mode: 'b', replicas: 0 }, false],
  [{ mode: 'b', replicas: 1 }, true],
  [{ mode: 's', rawBudget: bytes(100) }, false],
  [{ mode: 'off' }, true],
] as const) {
  test(`whether a copy is wanted with ${JSON.stringify(dedup)}`, async (t) => {
    const { copies, digests, folder } = await open(t, dedup, 1);
    const [digest = '' as Digest] = digests;
    if (dedup.mode === 's') await copies.trim();
    const record = await folder.index.getLayer(digest);
    t.is(record?.kind === 'recipe' && (await copies.isWanted(digest, record)), isWanted);
  });
}

test('a copy that is waited for does not go', async (t) => {
  const { copies, digests, whole, awaited } = await open(t, { rawBudget: bytes(0) });
  const [, second = '' as Digest] = digests;
  awaited.add(second);
  await copies.trim();
  t.deepEqual(await whole(), [second]);
});

test('a layer that is asked for often takes the place of others, and they do not take it back', async (t) => {
  const { copies, digests, whole, counts, folder, sizeOf } = await open(t, {
    rawBudget: bytes(30_000),
  });
  const [first = '' as Digest, ...others] = digests;
  await copies.remove([first]);
  await copies.trim();
  for (const digest of others) counts.set(digest, 2);
  counts.set(first, 2);
  t.deepEqual(await copies.plan(), [], 'as good is not good enough');
  counts.set(first, 50);
  const [promotion] = await copies.plan();
  t.is(promotion?.layer.digest, first);
  t.true((promotion?.instead.length ?? 0) > 0);
  await folder.whole.put(first, (await folder.store.read(first)) ?? new Uint8Array());
  await copies.remove(promotion?.instead.map(({ digest }) => digest) ?? []);
  await copies.stored(await sizeOf(first));
  t.true((await whole()).includes(first));
  t.deepEqual(await copies.plan(), []);
});

test('a budget of a share is one of the quota', async (t) => {
  const none = await open(t, { rawBudget: { kind: 'share', ratio: 0.000_001 } });
  await none.copies.trim();
  t.deepEqual(await none.whole(), []);
  const all = await open(t, { rawBudget: { kind: 'share', ratio: 0.5 } });
  await all.copies.trim();
  t.is((await all.whole()).length, 4);
});

test('a layer without a recipe never goes, nor a blob that is none', async (t) => {
  const { copies, folder } = await open(t, { rawBudget: bytes(0) }, 1);
  const other = await folder.put(makeBytes(50_000));
  await copies.trim();
  t.is(await folder.whole.stat(other), 50_000);
});
