import { truncate } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import { IngestJob, type IngestJobOptions, NoRoomError } from '../../src/dedup/ingest-job.ts';
import type { Digest } from '../../src/oci/digest.ts';
import { quietLog } from '../doubles/quiet-log.ts';
import { TestSpace } from '../pull/mirror-under-test.ts';
import { type DedupFolder, openDedupFolder } from './dedup-folder.ts';
import { listAll, makeFiles, makeTar } from './layers.ts';

const LAYER = makeTar(makeFiles(10, 1));

async function open(t: ExecutionContext, options: Partial<IngestJobOptions> = {}) {
  const folder: DedupFolder = await openDedupFolder(t);
  const { core, index, packs, recipes, whole, runtime } = folder;
  const told: string[] = [];
  const ingested: [Digest, number][] = [];
  const space = new TestSpace();
  const job = new IngestJob({
    parts: { core, index, packs, recipes, clock: runtime.clock },
    ...{ whole, space, log: quietLog, packOwner: 'test' },
    observer: {
      damaged: () => told.push('damaged copy'),
      ingested: (outcome) => told.push(outcome),
      restored: () => undefined,
    },
    wholePath: (digest) => folder.wholePath(digest),
    onIngested: (digest, size) => {
      ingested.push([digest, size]);
      return Promise.resolve();
    },
    ...options,
  });
  const run = (digest: Digest) => job.run(digest, new AbortController().signal);
  return { folder, job, run, told, ingested, space };
}

async function enqueue({ index, put }: DedupFolder, layer: Uint8Array): Promise<Digest> {
  const digest = await put(layer);
  await index.enqueue(digest, 1);
  return digest;
}

async function waiting({ index }: DedupFolder): Promise<number> {
  return (await listAll(index.listQueue())).length;
}

test('a layer with a recipe leaves the queue, and its copy is for the policy', async (t) => {
  const { folder, run, told, ingested, space } = await open(t);
  const digest = await enqueue(folder, LAYER);
  await run(digest);
  t.deepEqual(ingested, [[digest, LAYER.length]]);
  t.deepEqual(told, ['recipe']);
  t.is(await waiting(folder), 0);
  t.is((await folder.index.getLayer(digest))?.kind, 'recipe');
  t.true(space.promised < 0, 'what it stored is counted, and no more is promised');
});

test('while a layer is worked on, its steps and bytes can be seen', async (t) => {
  const seen = new Map<string, number>();
  const made = await open(t, {
    onIngested: () => {
      const last = made.job.progress;
      if (last !== undefined) seen.set(last.step, last.bytes);
      return Promise.resolve();
    },
  });
  const progress = () => made.job.progress;
  const digest = await enqueue(made.folder, LAYER);
  const running = made.run(digest);
  while (progress() === undefined) await new Promise((resolve) => setImmediate(resolve));
  t.like(progress(), { digest, size: LAYER.length, step: 'recipe' });
  await running;
  t.deepEqual([...seen], [['proof', LAYER.length]], 'all of the layer was made again');
  t.is(progress(), undefined);
});

test('a layer that cannot be read stays whole, with the reason', async (t) => {
  const { folder, run, told, ingested } = await open(t);
  const digest = await enqueue(folder, gzipSync(LAYER).subarray(0, 5000));
  await run(digest);
  t.like(await folder.index.getLayer(digest), { kind: 'whole', size: 5000 });
  t.deepEqual(told, ['whole']);
  t.deepEqual(ingested, []);
  t.is(await waiting(folder), 0);
  t.is(await folder.whole.stat(digest), 5000);
});

test('a damaged copy goes to quarantine and is fetched again', async (t) => {
  const { folder, run, told } = await open(t);
  const digest = await enqueue(folder, LAYER);
  await truncate(folder.wholePath(digest), 3000);
  await run(digest);
  t.deepEqual(told, ['damaged', 'damaged copy']);
  t.is(await folder.whole.stat(digest), undefined);
  t.is(await waiting(folder), 0);
});

test('a layer that is gone leaves the queue', async (t) => {
  const { folder, run, told } = await open(t);
  const digest = await enqueue(folder, LAYER);
  await folder.whole.remove(digest);
  await run(digest);
  t.is(await waiting(folder), 0);
  t.deepEqual(told, []);
});

test('without room nothing is begun, and the layer waits', async (t) => {
  const { folder, run, space } = await open(t);
  const digest = await enqueue(folder, LAYER);
  space.isRoomy = false;
  await t.throwsAsync(run(digest), { instanceOf: NoRoomError });
  t.is(await waiting(folder), 1);
  t.is(space.promised, 0);
});

test('what fails on the way leaves the copy, the queue and the room as they were', async (t) => {
  const { folder, run, space } = await open(t);
  const digest = await enqueue(folder, LAYER);
  const commitLayer = folder.index.commitLayer.bind(folder.index);
  folder.index.commitLayer = () => Promise.reject(new Error('the disk is full'));
  await t.throwsAsync(run(digest), { message: 'the disk is full' });
  t.is(await waiting(folder), 1);
  t.is(await folder.whole.stat(digest), LAYER.length);
  t.is(space.promised, 0);
  folder.index.commitLayer = commitLayer;
  await run(digest);
  t.is(await waiting(folder), 0);
});
