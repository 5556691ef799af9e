import { appendFile, stat, utimes, writeFile } from 'node:fs/promises';
import test, { type ExecutionContext } from 'ava';
import {
  collectLayers,
  queueLayer,
  queueLayers,
  TOO_SMALL,
} from '../../src/dedup/collect-layers.ts';
import { GIVEN_UP } from '../../src/dedup/ingest-queue.ts';
import { LayerNames } from '../../src/dedup/layer-names.ts';
import type { Digest } from '../../src/oci/digest.ts';
import { isLayerMediaType } from '../../src/oci/media-type.ts';
import { digestBytes, makeBytes } from '../conformance/blob-store.ts';
import { FakeClock } from '../doubles/fake-clock.ts';
import { makeTestRuntime } from '../doubles/test-runtime.ts';
import { openDedupFolder } from './dedup-folder.ts';
import { listAll, makeFiles, makeTar } from './layers.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const LAYER = makeTar(makeFiles(3, 1));

async function open(t: ExecutionContext) {
  const clock = new FakeClock(Date.now());
  const folder = await openDedupFolder(t, { runtime: makeTestRuntime({ clock }) });
  const names = new LayerNames();
  const { whole, index, packs, recipes } = folder;
  return {
    ...{ folder, clock, names },
    queueing: { whole, index, names, clock, minLayer: 4096 },
    collecting: { whole, index, packs, recipes, clock },
    learn: (digest: Digest) =>
      names.learn([{ mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest, size: 1 }]),
  };
}

test('isLayerMediaType() knows tars and nothing else', (t) => {
  for (const type of [
    'application/vnd.oci.image.layer.v1.tar',
    'application/vnd.oci.image.layer.v1.tar+gzip',
    'application/vnd.oci.image.layer.v1.tar+zstd',
    'application/vnd.docker.image.rootfs.diff.tar.gzip',
    'application/vnd.docker.container.image.rootfs.diff+x-gtar',
    'application/vnd.cncf.helm.chart.content.v1.tar+gzip',
  ]) {
    t.true(isLayerMediaType(type), type);
  }
  for (const type of [
    'application/vnd.oci.image.config.v1+json',
    'application/vnd.docker.container.image.v1+json',
    'application/octet-stream',
    'application/vnd.example.guitar',
    '',
  ]) {
    t.false(isLayerMediaType(type), type);
  }
});

test('queueLayers() queues what a manifest names as a layer, once', async (t) => {
  const { folder, queueing, learn } = await open(t);
  const layer = await folder.put(LAYER);
  const other = await folder.put(makeBytes(9000));
  learn(layer);
  t.is(await queueLayers(queueing), 1);
  t.is(await queueLayers(queueing), 0);
  t.deepEqual(
    (await listAll(folder.index.listQueue())).map(({ digest }) => digest),
    [layer],
  );
  learn(other);
  t.is(await queueLayers(queueing), 1);
});

test('queueLayer() notes a layer that is too small to be worth the work', async (t) => {
  const { folder, queueing, learn } = await open(t);
  const small = await folder.put(makeBytes(4095));
  learn(small);
  t.false(await queueLayer(queueing, small, 4095));
  t.like(await folder.index.getLayer(small), { kind: 'whole', reason: TOO_SMALL, size: 4095 });
});

test('queueLayers() tries again what was given up a day ago', async (t) => {
  const { folder, queueing, learn, clock } = await open(t);
  const layer = await folder.put(LAYER);
  learn(layer);
  const record = { kind: 'whole', size: 1, reason: GIVEN_UP, storedMs: clock.now() } as const;
  await folder.index.putWhole(layer, record);
  t.is(await queueLayers(queueing), 0);
  await clock.advance(DAY_MS + 1);
  t.is(await queueLayers(queueing), 1);
});

test('collectLayers() forgets layers that are gone', async (t) => {
  const { folder, collecting } = await open(t);
  const [queued, whole, kept] = [2, 3, 4].map((seed) => digestBytes(makeBytes(10, seed))) as [
    Digest,
    Digest,
    Digest,
  ];
  await folder.index.enqueue(queued, 1);
  const record = { kind: 'whole', size: 1, reason: TOO_SMALL, storedMs: 1 } as const;
  await folder.index.putWhole(whole, record);
  await folder.put(makeBytes(10, 4));
  await folder.index.putWhole(kept, record);
  await collectLayers(collecting);
  t.deepEqual(await listAll(folder.index.listQueue()), []);
  t.is(await folder.index.getLayer(whole), undefined);
  t.truthy(await folder.index.getLayer(kept));
});

test('collectLayers() removes what crashes left, once it is old', async (t) => {
  const { folder, collecting, clock } = await open(t);
  const kept = await folder.putRecipe(LAYER);
  const unknown = digestBytes(makeBytes(10, 9));
  const made = folder.recipes.temporary(unknown);
  await writeFile(made, 'a recipe that was never committed');
  await folder.recipes.publish(made, unknown);
  await writeFile(await folder.packs.prepare(77, 0), 'a pack that the index does not know');
  const pack = folder.packs.path(1);
  const { size } = await stat(pack);
  await appendFile(pack, 'torn');
  const empty = await folder.index.openPack('killed');
  await writeFile(await folder.packs.prepare(empty.number, 0), 'nothing was committed');
  t.like(await collectLayers(collecting), { recipes: 0, packs: 0 }, 'they may be in the making');
  const old = new Date(clock.now() - DAY_MS);
  for (const { number } of await listAll(folder.packs.list())) {
    await utimes(folder.packs.path(number), old, old);
  }
  await utimes(folder.recipes.path(unknown), old, old);
  t.like(await collectLayers(collecting), { recipes: 1, packs: 2 });
  t.is((await stat(pack)).size, size);
  t.deepEqual(
    (await listAll(folder.recipes.list())).map(({ digest }) => digest),
    [kept],
  );
  t.is(await folder.store.verify(kept), 'whole');
});
