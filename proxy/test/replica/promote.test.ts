import { writeFile } from 'node:fs/promises';
import test, { type ExecutionContext } from 'ava';
import type { Restoration } from 'mica-core/core';
import type { Digest } from '../../src/oci/digest.ts';
import { makePieces } from '../../src/replica/layer-pieces.ts';
import { type PromoteOptions, promoteLayer } from '../../src/replica/promote.ts';
import { BusyMirrorError, untilQuiet } from '../../src/replica/quiet.ts';
import { BlobPaths } from '../../src/store/blob-paths.ts';
import { type DedupFolder, openDedupFolder } from '../dedup/dedup-folder.ts';
import { listAll, makeFiles, makeLayer, sameBytes } from '../dedup/layers.ts';
import { FakeClock } from '../doubles/fake-clock.ts';
import { TestSpace } from '../pull/mirror-under-test.ts';

/** Some parts, so that there is a middle. */
const LAYER = makeLayer(makeFiles(60, 1, 80_000), 1);
const OTHER = makeLayer(makeFiles(60, 500, 80_000), 1);

interface Options extends Partial<PromoteOptions> {
  openRestoration?(digest: Digest): Promise<Restoration>;
}

async function open(t: ExecutionContext, { openRestoration, ...options }: Options = {}) {
  const folder: DedupFolder = await openDedupFolder(t);
  const { whole, index: files, restorations } = folder;
  const space = new TestSpace();
  const damaged: Digest[] = [];
  const promote = (digest: Digest, signal = new AbortController().signal) =>
    promoteLayer(
      {
        ...{ whole, files, space, mayEvict: false },
        pieces: (one, start, until) =>
          makePieces(
            openRestoration ?? ((asked) => restorations.openAlone(asked)),
            one,
            start,
            until,
          ),
        onDamaged: async (one) => {
          damaged.push(one);
          await folder.store.removeRecipe(one);
        },
        untilQuiet: () => Promise.resolve(),
        ...options,
      },
      digest,
      signal,
    );
  const partialOf = (digest: Digest) => new BlobPaths(folder.path).partial(digest);
  return { folder, space, damaged, promote, partialOf };
}

/** What a restoration of the layer gives, changed. */
function changed(folder: DedupFolder, change: (bytes: Uint8Array) => void) {
  return async (digest: Digest): Promise<Restoration> => {
    const real = await folder.restorations.openAlone(digest);
    return {
      summary: real.summary,
      close: () => real.close(),
      async *read(options) {
        for await (const piece of real.read(options)) {
          const copy = Uint8Array.from(piece);
          change(copy);
          yield copy;
        }
      },
    };
  };
}

test('a layer is made whole, once, and the room for it is counted', async (t) => {
  const { folder, promote, space } = await open(t);
  const digest = await folder.putRecipe(LAYER);
  t.is(await promote(digest), 'made');
  sameBytes(t, await folder.whole.read(digest), LAYER);
  t.is(space.promised, 0);
  t.is(await promote(digest), 'left', 'it is there');
  t.is(await promote('sha256:00' as Digest), 'left', 'it is not known');
  t.deepEqual(await listAll(folder.whole.partials()), []);
});

test('without room nothing is begun', async (t) => {
  const { folder, promote, space } = await open(t);
  const digest = await folder.putRecipe(LAYER);
  space.isRoomy = false;
  t.is(await promote(digest), 'no-room');
  t.deepEqual(await listAll(folder.whole.partials()), []);
  t.is(space.promised, 0);
});

test('wrong bytes are not kept, and the layer is told of', async (t) => {
  const setup = await open(t);
  const openRestoration = changed(setup.folder, (bytes) => bytes.fill(7, 0, 1));
  const { folder, promote, damaged, space } = await open(t, { openRestoration });
  const digest = await setup.folder.putRecipe(LAYER);
  t.is(await folder.putRecipe(LAYER), digest);
  t.is(await promote(digest), 'left');
  t.deepEqual(damaged, [digest]);
  t.is(await folder.whole.stat(digest), undefined);
  t.deepEqual(await listAll(folder.whole.partials()), []);
  t.is(space.promised, 0);
});

test('a layer that cannot be made is told of', async (t) => {
  const { folder, promote, damaged } = await open(t);
  const digest = await folder.putRecipe(LAYER);
  await writeFile(folder.recipes.path(digest), 'no recipe');
  t.is(await promote(digest), 'left');
  t.deepEqual(damaged, [digest]);
  t.is(await folder.whole.stat(digest), undefined);
});

test('what was made before an end is kept, and gone on from', async (t) => {
  const abort = new AbortController();
  const starts: (number | undefined)[] = [];
  let pieces = 0;
  const untilQuietOnce = (signal: AbortSignal) => {
    pieces += 1;
    if (pieces === 1) abort.abort(new Error('stop'));
    signal.throwIfAborted();
    return Promise.resolve();
  };
  const setup = await open(t, { untilQuiet: untilQuietOnce });
  const { folder, promote, space } = setup;
  const digest = await folder.putRecipe(LAYER);
  await t.throwsAsync(promote(digest, abort.signal), { message: 'stop' });
  const [partial] = await listAll(folder.whole.partials());
  t.true((partial?.size ?? 0) > 0 && (partial?.size ?? 0) < LAYER.length);
  t.is(space.promised, 0);
  const openAlone = folder.restorations.openAlone.bind(folder.restorations);
  folder.restorations.openAlone = async (one) => {
    const restoration = await openAlone(one);
    const read = restoration.read.bind(restoration);
    restoration.read = (options) => {
      starts.push(options?.start);
      return read(options);
    };
    return restoration;
  };
  t.is(await promote(digest), 'made');
  t.deepEqual(starts, [partial?.size]);
  sameBytes(t, await folder.whole.read(digest), LAYER);
});

test('wrong bytes of an interrupted fill cost a second try, and not the recipe', async (t) => {
  const { folder, promote, damaged, partialOf } = await open(t);
  const digest = await folder.putRecipe(LAYER);
  for (const garbage of [OTHER.subarray(0, 5000), new Uint8Array(LAYER.length + 5)]) {
    await writeFile(partialOf(digest), garbage);
    t.is(await promote(digest), 'left');
    t.deepEqual(damaged, []);
    t.deepEqual(await listAll(folder.whole.partials()), []);
  }
  t.is(await promote(digest), 'made');
});

test('a layer that is being fetched is left to its fetch', async (t) => {
  const { folder, promote, space } = await open(t);
  const digest = await folder.putRecipe(LAYER);
  const partial = await folder.whole.begin(digest);
  t.is(await promote(digest), 'left');
  await partial.discard();
  await partial.close();
  t.is(space.promised, 0);
});

test('a disk that is full keeps nothing of it', async (t) => {
  const { folder, promote, damaged } = await open(t);
  const digest = await folder.putRecipe(LAYER);
  const begin = folder.whole.begin.bind(folder.whole);
  folder.whole.begin = async (one) => {
    const partial = await begin(one);
    const append = partial.append.bind(partial);
    let count = 0;
    partial.append = (bytes) => {
      count += 1;
      const full = Object.assign(new Error('full'), { code: 'ENOSPC' });
      return count === 1 ? append(bytes) : Promise.reject(full);
    };
    return partial;
  };
  t.is(await promote(digest), 'no-room');
  t.deepEqual(await listAll(folder.whole.partials()), []);
  t.deepEqual(damaged, []);
  sameBytes(t, await folder.store.read(digest), LAYER);
});

test('a disk that fails while it is written to says nothing of the layer', async (t) => {
  const { folder, promote, damaged, space } = await open(t);
  const digest = await folder.putRecipe(LAYER);
  const begin = folder.whole.begin.bind(folder.whole);
  folder.whole.begin = async (one) => {
    const partial = await begin(one);
    partial.append = () => Promise.reject(Object.assign(new Error('broken'), { code: 'EIO' }));
    return partial;
  };
  await t.throwsAsync(promote(digest), { code: 'EIO' });
  t.deepEqual(damaged, []);
  t.is(space.promised, 0);
  sameBytes(t, await folder.store.read(digest), LAYER);
});

test('untilQuiet() waits while the mirror is busy, and not for ever', async (t) => {
  const clock = new FakeClock();
  let busy = true;
  const options = { clock, isBusy: () => busy };
  const { signal } = new AbortController();
  const waiting = untilQuiet(options, signal);
  await clock.advance(5000);
  t.is(clock.sleeping, 1);
  busy = false;
  await clock.advance(300);
  await waiting;
  busy = true;
  const futile = t.throwsAsync(untilQuiet(options, signal), { instanceOf: BusyMirrorError });
  await clock.advance(40_000);
  await futile;
});

test('a promotion that clients keep from going on keeps what it has', async (t) => {
  let pieces = 0;
  const { folder, promote } = await open(t, {
    untilQuiet: () => {
      pieces += 1;
      return pieces === 1 ? Promise.reject(new BusyMirrorError()) : Promise.resolve();
    },
  });
  const digest = await folder.putRecipe(LAYER);
  t.is(await promote(digest), 'left');
  t.is((await listAll(folder.whole.partials())).length, 1);
  t.is(await promote(digest), 'made');
});
