// What every FileIndex does, as one suite; and a law: it answers as the one in memory does, which
// counts everything anew.

import type { ExecutionContext, TestFn } from 'ava';
import fc from 'fast-check';
import { PLACE_SIZE } from 'mica-core/core';
import type { FileIndex, PackRecord } from '../../src/dedup/file-index.ts';
import { MemoryFileIndex } from '../doubles/memory-file-index.ts';
import {
  appendTo,
  bringLayer,
  collect,
  compact,
  everything,
  idsOf,
  numbersOf,
  type Operation,
  operations,
  recipeOf,
  sizeOf,
  sizesOf,
  wholeOf,
} from './file-index-samples.ts';
import { digestNumber } from './index.ts';

export interface FileIndexUnderTest {
  readonly index: FileIndex;
  /** Closes the index and opens it again; what was written must be there. */
  reopen(): Promise<FileIndex>;
  remove(): Promise<void>;
}

type Check = (
  title: string,
  body: (t: ExecutionContext, made: FileIndexUnderTest) => Promise<void>,
) => void;

/** Declares the suite for an implementation; `make` gives an empty index. */
export function testFileIndex(
  test: TestFn,
  name: string,
  make: () => Promise<FileIndexUnderTest>,
): void {
  const check: Check = (title, body) =>
    test(`${name}: ${title}`, async (t) => {
      const made = await make();
      try {
        await body(t, made);
      } finally {
        await made.remove();
      }
    });
  testQueue(check);
  testClaims(check);
  testLayers(check);
  testFailedCommits(check);
  testPlaces(check);
  testPacks(check);
  testPlacesVersion(check);
  testLaw(check);
}

const [first, second, third] = [digestNumber(1), digestNumber(2), digestNumber(3)];

function testQueue(check: Check): void {
  check('enqueue() puts a layer into the queue once', async (t, { index }) => {
    t.true(await index.enqueue(first, 10));
    t.false(await index.enqueue(first, 20));
    t.deepEqual(await collect(index.listQueue()), [{ digest: first, queuedMs: 10, attempts: 0 }]);
    t.is((await index.totals()).layers.queued, 1);
  });

  check('enqueue() leaves a layer alone whose record is there', async (t, { index }) => {
    await index.putWhole(first, wholeOf('TOO_SMALL'));
    await bringLayer(index, { digest: second, files: [1], owner: 'a' });
    t.false(await index.enqueue(first, 10));
    t.false(await index.enqueue(second, 10));
    t.deepEqual(await collect(index.listQueue()), []);
  });

  check(
    'dequeue(), putWhole() and commitLayer() take a layer out of the queue',
    async (t, made) => {
      const { index } = made;
      for (const digest of [first, second, third]) await index.enqueue(digest, 10);
      await index.dequeue(first);
      await index.dequeue(first);
      await index.putWhole(second, wholeOf('NO_LAYER'));
      await bringLayer(index, { digest: third, files: [1], owner: 'a' });
      t.deepEqual(await collect(index.listQueue()), []);
      t.is((await index.totals()).layers.queued, 0);
      t.is(await index.claim('a', 100, 200), undefined);
    },
  );

  check('the queue is there after reopening, claims too', async (t, made) => {
    await made.index.enqueue(first, 20);
    await made.index.enqueue(second, 10);
    await made.index.claim('a', 30, 100);
    const index = await made.reopen();
    t.deepEqual(await collect(index.listQueue()), [
      { digest: second, queuedMs: 10, attempts: 1 },
      { digest: first, queuedMs: 20, attempts: 0 },
    ]);
    t.is((await index.claim('b', 99, 200))?.digest, first);
    t.is(await index.claim('b', 99, 200), undefined);
  });
}

function testClaims(check: Check): void {
  check('claim() gives the layer that waits longest, and each to one', async (t, { index }) => {
    await index.enqueue(first, 30);
    await index.enqueue(second, 10);
    await index.enqueue(third, 20);
    const claims = await Promise.all(['a', 'b', 'c', 'd'].map((who) => index.claim(who, 40, 50)));
    const claimed = claims.map((entry) => entry?.digest);
    t.is(claimed[0], second);
    t.deepEqual(claimed.toSorted(), [first, second, third, undefined]);
  });

  check('claim() gives a layer again whose claim ran out, and counts', async (t, { index }) => {
    await index.enqueue(first, 1);
    t.is((await index.claim('a', 10, 20))?.attempts, 1);
    t.is(await index.claim('b', 19, 30), undefined);
    t.deepEqual(await index.claim('b', 20, 30), { digest: first, queuedMs: 1, attempts: 2 });
    t.false(await index.renew(first, 'a', 100));
    await index.release(first, 'a', 0);
    t.is(await index.claim('a', 29, 40), undefined);
  });

  check('renew() moves the end of a claim, also one that passed', async (t, { index }) => {
    await index.enqueue(first, 1);
    await index.claim('a', 10, 20);
    t.true(await index.renew(first, 'a', 40));
    t.is(await index.claim('b', 39, 50), undefined);
    t.true(await index.renew(first, 'a', 60));
    t.is(await index.claim('b', 59, 70), undefined);
    t.false(await index.renew(second, 'a', 60));
  });

  check('release() keeps a layer back until its time', async (t, { index }) => {
    await index.enqueue(first, 1);
    await index.enqueue(second, 2);
    await index.claim('a', 10, 20);
    await index.release(first, 'a', 100);
    t.false(await index.renew(first, 'a', 100));
    t.is((await index.claim('a', 10, 20))?.digest, second);
    t.is(await index.claim('a', 11, 20), undefined);
    t.deepEqual(await index.claim('a', 100, 200), { digest: first, queuedMs: 1, attempts: 2 });
  });

  check('claim() passes over more than one page of layers that are claimed', async (t, made) => {
    const { index } = made;
    const many = Array.from({ length: 600 }, (_, at) => digestNumber(1000 + at));
    await Promise.all(many.map((digest) => index.enqueue(digest, 5)));
    await Promise.all(many.slice(1).map(() => index.claim('a', 10, 1000)));
    t.is((await index.claim('b', 11, 1000))?.digest, many.at(-1));
    t.is(await index.claim('b', 11, 1000), undefined);
  });
}

function testLayers(check: Check): void {
  check('commitLayer() writes what the index then knows, also after reopening', async (t, made) => {
    const files = [3, 1, 3, 2, 0];
    t.true(await bringLayer(made.index, { digest: first, files, owner: 'a' }));
    const index = await made.reopen();
    t.deepEqual(await index.getLayer(first), recipeOf(files));
    t.deepEqual(await collect(index.listLayers()), [{ digest: first, ...recipeOf(files) }]);
    const uniqueSize = [0, 1, 2, 3].map(sizeOf).reduce((sum, size) => sum + size);
    t.deepEqual(await index.totals(), {
      layers: { recipes: 1, whole: 0, queued: 0 },
      bytes: { compressed: 105, tar: 1005, recipes: 15, packs: 40 },
      files: { unique: 4, duplicate: 1, uniqueSize },
      reasons: {},
    });
    t.deepEqual(await collect(index.listPacks()), [
      { number: 1, size: 40, plainSize: uniqueSize, liveSize: uniqueSize, isSealed: false },
    ]);
    t.deepEqual(numbersOf(await index.filesIn(1)), [3, 1, 2, 0]);
  });

  check('commitLayer() of a layer without files writes its record', async (t, { index }) => {
    t.true(await bringLayer(index, { digest: first, files: [], owner: 'a' }));
    t.deepEqual(await index.getLayer(first), recipeOf([]));
    t.true(await index.removeLayer(first));
    t.is(await index.getLayer(first), undefined);
  });

  check('commitLayer() leaves files where they are that others brought', async (t, { index }) => {
    await bringLayer(index, { digest: first, files: [1, 2], owner: 'a' });
    await bringLayer(index, { digest: second, files: [2, 3], owner: 'b', appendAll: true });
    t.deepEqual(numbersOf(await index.filesIn(1)), [1, 2]);
    t.deepEqual(numbersOf(await index.filesIn(2)), [3]);
    const pack = await index.getPack(2);
    t.is(pack?.plainSize, sizeOf(2) + sizeOf(3));
    t.is(pack?.liveSize, sizeOf(3));
  });

  check('removeLayer() forgets the files that no other layer needs', async (t, { index }) => {
    await bringLayer(index, { digest: first, files: [1, 2, 2], owner: 'a' });
    await bringLayer(index, { digest: second, files: [2, 3], owner: 'a' });
    t.true(await index.removeLayer(first));
    t.false(await index.removeLayer(first));
    t.deepEqual([...(await index.locate(idsOf([1, 2, 3]))).missing], [0]);
    t.deepEqual(numbersOf(await index.filesIn(1)), [2, 3]);
    const { files, layers } = await index.totals();
    t.deepEqual(files, { unique: 2, duplicate: 0, uniqueSize: sizeOf(2) + sizeOf(3) });
    t.is(layers.recipes, 1);
    t.is((await index.getPack(1))?.liveSize, sizeOf(2) + sizeOf(3));
    t.is((await index.getPack(1))?.plainSize, sizeOf(1) + sizeOf(2) + sizeOf(3));
  });

  check('putWhole() counts reasons, and leaves a recipe alone', async (t, { index }) => {
    await index.putWhole(first, wholeOf('TOO_SMALL'));
    await index.putWhole(second, wholeOf('TOO_SMALL'));
    await index.putWhole(second, wholeOf('NO_LAYER'));
    t.deepEqual((await index.totals()).reasons, { TOO_SMALL: 1, NO_LAYER: 1 });
    t.true(await bringLayer(index, { digest: second, files: [1], owner: 'a' }));
    await index.putWhole(second, wholeOf('NO_LAYER'));
    t.is((await index.getLayer(second))?.kind, 'recipe');
    t.deepEqual((await index.totals()).reasons, { TOO_SMALL: 1 });
    t.true(await index.removeLayer(first));
    t.deepEqual((await index.totals()).reasons, {});
    t.deepEqual((await index.totals()).layers, { recipes: 1, whole: 0, queued: 0 });
  });

  check('listLayers() gives every layer when there are more than one page', async (t, made) => {
    const digests = Array.from({ length: 600 }, (_, at) => digestNumber(1000 + at));
    await Promise.all(digests.map((digest) => made.index.putWhole(digest, wholeOf('NO_LAYER'))));
    const listed = await collect(made.index.listLayers());
    t.deepEqual(
      listed.map(({ digest }) => digest),
      digests,
    );
  });
}

function testFailedCommits(check: Check): void {
  check('commitLayer() of a layer whose recipe is there changes nothing', async (t, { index }) => {
    await bringLayer(index, { digest: first, files: [1], owner: 'a' });
    const before = await everything(index);
    t.false(await bringLayer(index, { digest: first, files: [1, 2], owner: 'a' }));
    t.deepEqual(await everything(index), before);
  });

  check('commitLayer() changes nothing when a file is gone', async (t, { index }) => {
    await bringLayer(index, { digest: first, files: [1], owner: 'a' });
    await index.enqueue(second, 10);
    const before = await everything(index);
    const files = Array.from({ length: 15 }, (_, at) => at);
    t.false(await bringLayer(index, { digest: second, files, owner: 'a', lacksOne: true }));
    t.deepEqual(await everything(index), before);
  });

  check('commitLayer() changes nothing when a pack is gone', async (t, { index }) => {
    const pack = await index.openPack('a');
    const gone: PackRecord = { ...pack, number: 7 };
    const commit = { digest: first, record: recipeOf([1]), ids: idsOf([1]), sizes: sizesOf([1]) };
    t.false(await index.commitLayer({ ...commit, appended: [appendTo(gone, [0])] }));
    t.is(await index.getLayer(first), undefined);
    t.is((await index.totals()).bytes.packs, 0);
  });

  check('of two commits of one layer at a time one counts', async (t, { index }) => {
    const files = Array.from({ length: 15 }, (_, at) => at);
    const [pack, other] = [await index.openPack('a'), await index.openPack('b')];
    const results = await Promise.all(
      [pack, other].map((into) =>
        index.commitLayer({
          digest: first,
          record: recipeOf(files),
          ids: idsOf(files),
          sizes: sizesOf(files),
          appended: [appendTo(into, files)],
        }),
      ),
    );
    t.deepEqual(results.toSorted(), [false, true]);
    const { unique, duplicate } = (await index.totals()).files;
    t.deepEqual([unique, duplicate], [15, 0]);
    t.true(await index.removeLayer(first));
    t.is((await index.totals()).files.unique, 0);
  });
}

function testPlaces(check: Check): void {
  check('locate() says where files are, and which are missing', async (t, { index }) => {
    await bringLayer(index, { digest: first, files: [1, 2], owner: 'a' });
    await bringLayer(index, { digest: second, files: [3], owner: 'b' });
    const found = await index.locate(idsOf([9, 3, 2, 8, 9, 1, 3]));
    t.deepEqual([...found.missing], [0, 3]);
    t.deepEqual([...found.packs], [2, 1]);
    const view = new DataView(found.places.buffer, found.places.byteOffset);
    t.is(found.places.length, 7 * PLACE_SIZE);
    const placeOf = (number: number) => [
      Number(view.getBigUint64(number * PLACE_SIZE, true)),
      view.getUint32(number * PLACE_SIZE + 8, true),
      view.getUint32(number * PLACE_SIZE + 12, true),
    ];
    t.deepEqual([1, 2, 5, 6].map(placeOf), [
      [0, 0, 0],
      [0, 1000, 1],
      [0, 0, 1],
      [0, 0, 0],
    ]);
  });

  check('locate() of no ids gives nothing', async (t, { index }) => {
    const { places, packs, missing } = await index.locate(new Uint8Array());
    t.deepEqual([places.length, packs.length, missing.length], [0, 0, 0]);
  });

  check('moveFiles() moves live files that are still there', async (t, { index }) => {
    await bringLayer(index, { digest: first, files: [1, 2, 3, 4], owner: 'a' });
    await index.sealPack(1);
    t.true(await compact(index, 1, 'b'));
    t.deepEqual(numbersOf(await index.filesIn(1)), [2, 4]);
    t.deepEqual(numbersOf(await index.filesIn(2)), [1, 3]);
    t.is((await index.getPack(1))?.liveSize, sizeOf(2) + sizeOf(4));
    t.is((await index.getPack(2))?.liveSize, sizeOf(1) + sizeOf(3));
    t.false(await index.moveFiles(9, idsOf([2]), sizesOf([2]), appendTo(await pack2(index), [0])));
    t.true(await index.moveFiles(2, idsOf([2]), sizesOf([2]), appendTo(await pack2(index), [0])));
    t.deepEqual(numbersOf(await index.filesIn(1)), [2, 4]);
    t.true(await index.removeLayer(first));
    t.is((await index.totals()).files.unique, 0);
  });
}

function testPlacesVersion(check: Check): void {
  check('placesVersion() changes when files move, and only then', async (t, made) => {
    const { index } = made;
    const version = await index.placesVersion();
    await bringLayer(index, { digest: first, files: [1, 2, 3, 4], owner: 'a' });
    await index.sealPack(1);
    const reopened = await made.reopen();
    t.is(await reopened.placesVersion(), version);
    t.true(await compact(reopened, 1, 'b'));
    const moved = await reopened.placesVersion();
    t.not(moved, version);
    t.true(await reopened.removeLayer(first));
    t.is(await reopened.placesVersion(), moved);
    t.true(await reopened.removePack(1));
    t.not(await reopened.placesVersion(), moved);
  });
}

function pack2(index: FileIndex): Promise<PackRecord> {
  return index.openPack('b');
}

function testPacks(check: Check): void {
  check('openPack() gives an owner its pack until it is sealed', async (t, made) => {
    const pack = await made.index.openPack('a');
    t.deepEqual(pack, { number: 1, size: 0, plainSize: 0, liveSize: 0, isSealed: false });
    t.is((await made.index.openPack('b')).number, 2);
    const index = await made.reopen();
    t.is((await index.openPack('a')).number, 1);
    await index.sealPack(1);
    await index.sealPack(9);
    t.true((await index.getPack(1))?.isSealed);
    t.is((await index.openPack('a')).number, 3);
    t.is((await index.openPack('b')).number, 2);
  });

  check('skipPacks() keeps numbers from being given', async (t, made) => {
    t.is(await made.index.skipPacks(3), 0);
    t.is((await made.index.openPack('a')).number, 4);
    t.is(await made.index.skipPacks(2), 4);
    const index = await made.reopen();
    t.is((await index.openPack('b')).number, 5);
    t.is(await index.skipPacks(9), 5);
    t.is((await index.openPack('c')).number, 10);
  });

  check('removePack() forgets a sealed pack without live files', async (t, { index }) => {
    await bringLayer(index, { digest: first, files: [1, 2], owner: 'a' });
    await index.sealPack(1);
    t.false(await index.removePack(1));
    await index.removeLayer(first);
    t.true(await index.removePack(1));
    t.false(await index.removePack(1));
    t.is(await index.getPack(1), undefined);
    t.is((await index.totals()).bytes.packs, 0);
    t.is((await index.openPack('a')).number, 2);
    t.false(await index.removePack(2), 'it is open');
  });

  check('filesIn() gives nothing of a pack that is not there', async (t, { index }) => {
    t.is((await index.filesIn(1)).length, 0);
  });

  check('filesIn() gives every file when there are more than one page', async (t, { index }) => {
    const files = Array.from({ length: 3000 }, (_, at) => at + 1);
    await bringLayer(index, { digest: first, files: files.toReversed(), owner: 'a' });
    t.deepEqual(numbersOf(await index.filesIn(1)), files.toReversed());
    t.true(await index.removeLayer(first));
    t.is((await index.filesIn(1)).length, 0);
  });
}

function testLaw(check: Check): void {
  check('any operations give what counting anew gives', async (t, made) => {
    const { index } = made;
    const model = new MemoryFileIndex();
    const run = async (sequence: readonly Operation[]): Promise<void> => {
      for (const operation of sequence) {
        t.deepEqual(await operation(index), await operation(model));
      }
      t.deepEqual(await everything(index), await everything(model));
    };
    // One index for all runs: what an earlier run left is part of the next one's start.
    await fc.assert(fc.asyncProperty(fc.array(operations, { maxLength: 40 }), run), {
      numRuns: 40,
      endOnFailure: true,
    });
    t.deepEqual(await everything(await made.reopen()), await everything(model));
  });
}
