import test, { type ExecutionContext } from 'ava';
import type { Config } from '../../src/config/config.ts';
import type { Digest } from '../../src/oci/digest.ts';
import type { UseRecord } from '../../src/replica/allowance.ts';
import { BEGUN_MS } from '../../src/replica/begin-ahead.ts';
import type { GapRecord } from '../../src/replica/gaps.ts';
import { makeInMemory } from '../../src/replica/make-in-memory.ts';
import { MAX_MEMORY_LAYER, MemoryLayers } from '../../src/replica/memory-layers.ts';
import { Predictor, type PredictorOptions } from '../../src/replica/predictor.ts';
import type { PulledRecord } from '../../src/replica/pulled-layers.ts';
import { digestNumber } from '../conformance/index.ts';
import { openDedupFolder } from '../dedup/dedup-folder.ts';
import { makeFiles, makeTar, sameBytes } from '../dedup/layers.ts';
import { FakeClock } from '../doubles/fake-clock.ts';
import { MemoryFileIndex } from '../doubles/memory-file-index.ts';
import { MemoryIndex } from '../doubles/memory-index.ts';
import { quietLog } from '../doubles/quiet-log.ts';
import { makeHistory } from './history-folder.ts';

const MANIFEST = digestNumber(1000);
const LAYER_TYPE = 'application/vnd.oci.image.layer.v1.tar+gzip';
const LARGE = MAX_MEMORY_LAYER + 1;

interface Setup {
  readonly dedup?: Partial<Config['dedup']>;
  /** Sizes of the image's layers, which all are recipes. */
  readonly sizes?: readonly number[];
  readonly options?: Partial<PredictorOptions>;
}

/** Over an index that says that layers are recipes, and parts that only note what they are asked to make. */
async function open(t: ExecutionContext, { dedup, sizes = [10, 20, 30], options }: Setup = {}) {
  const clock = new FakeClock();
  const index = new MemoryIndex();
  const files = new MemoryFileIndex();
  const layers = sizes.map((size, at) => ({ digest: digestNumber(at), size }));
  for (const { digest, size } of layers) await addRecipe(files, digest, size);
  const blobs = layers.map((layer) => ({ mediaType: LAYER_TYPE, ...layer }));
  const config = {
    mediaType: 'application/vnd.oci.image.config.v1+json',
    digest: digestNumber(99),
  };
  const manifest = { mediaType: 'm', size: 1, storedMs: 1, manifests: [] };
  const record = { ...manifest, blobs: [{ ...config, size: 5 }, ...blobs] };
  await index.putManifest('a', MANIFEST, record, true);
  const whole = new Set<Digest>();
  const told = { made: 0, used: 0, wasted: 0 };
  const started: Digest[] = [];
  const disk: Digest[] = [];
  const begun: Digest[] = [];
  const state = { isBusy: false };
  const memory = new MemoryLayers(clock);
  const predictor = new Predictor({
    config: {
      dedup: {
        ...{ mode: 's', replicas: 1, rawBudget: { kind: 'bytes', bytes: 0 } },
        ...{ minLayer: 1, workers: 'auto', predict: true, ...dedup },
      } as Config['dedup'],
    },
    histories: {
      pulled: await (await makeHistory<PulledRecord>(t))(),
      gaps: await (await makeHistory<GapRecord>(t))(),
      uses: await (await makeHistory<UseRecord>(t))(),
    },
    ...{ index, files, memory, clock, log: quietLog },
    whole: { stat: (digest) => Promise.resolve(whole.has(digest) ? 1 : undefined) },
    copies: {
      budget: () => Promise.resolve(100 * LARGE),
      stored: () => Promise.resolve(),
      fit: () => Promise.resolve(),
    },
    observer: {
      predicted: (outcome) => {
        told[outcome] += 1;
      },
    },
    isBusy: () => state.isBusy,
    promote: (digest) => {
      disk.push(digest);
      return Promise.resolve('made');
    },
    begin: async (digest, pause, signal) => {
      begun.push(digest);
      await pause(signal);
      return true;
    },
    makeInMemory: async ({ digest, size }, pause, signal) => {
      started.push(digest);
      await pause(signal);
      return new Uint8Array(size);
    },
    ...options,
  });
  t.teardown(() => predictor.close());
  const pull = async (client = 'one', repository = 'a') => {
    await predictor.manifestPulled(repository, MANIFEST, client);
    await clock.advance(0);
    await clock.advance(0);
  };
  const ask = (at: number, client = 'one') => predictor.blobPulled('a', digestNumber(at), client);
  const made = { started, disk, begun };
  return { predictor, clock, memory, whole, told, ...made, state, files, pull, ask };
}

async function addRecipe(files: MemoryFileIndex, digest: Digest, size: number): Promise<void> {
  const record = { kind: 'recipe', size, diffId: 'd', tarSize: size, recipeSize: 1 } as const;
  await files.commitLayer({
    digest,
    record: { ...record, files: 0, restoreSeconds: 0, storedMs: 1 },
    ...{ ids: new Uint8Array(), sizes: new Uint8Array(), appended: [] },
  });
}

function numbers(digests: readonly Digest[]): number[] {
  const known = new Map(Array.from({ length: 99 }, (_, number) => [digestNumber(number), number]));
  return digests.map((digest) => known.get(digest) ?? -1);
}

test('after a manifest its layers are made, those first that are asked for first', async (t) => {
  const { pull, ask, started, clock, told, memory } = await open(t);
  await pull();
  t.deepEqual(numbers(started), [0, 1, 2]);
  t.like(told, { made: 3, used: 0, wasted: 0 });
  t.is(memory.get(digestNumber(1))?.length, 20);
  for (const at of [2, 0, 1]) {
    await clock.advance(100);
    ask(at);
  }
  t.like(told, { made: 3, used: 3, wasted: 0 });
  await clock.advance(400_000);
  started.length = 0;
  await pull('two');
  t.deepEqual(numbers(started), [2, 0, 1], 'in the order that the first pull showed');
});

test('what the client has, what is whole and what is no recipe is not made', async (t) => {
  const { pull, ask, started, whole, files } = await open(t, { sizes: [1, 2, 3, 4] });
  ask(0);
  whole.add(digestNumber(1));
  await files.removeLayer(digestNumber(2));
  await pull();
  t.deepEqual(numbers(started), [3]);
  started.length = 0;
  await pull();
  t.deepEqual(started, [], 'it is there already');
  await pull('two');
  t.deepEqual(numbers(started), [0], 'the other client has not pulled it');
});

test('large layers become whole copies in mode s, and are begun in others', async (t) => {
  const sizes = [LARGE, 10];
  const inS = await open(t, { sizes });
  await inS.pull();
  t.deepEqual([numbers(inS.disk), numbers(inS.started)], [[0], [1]]);
  t.true(inS.predictor.isAwaited(digestNumber(0)));
  inS.ask(0);
  t.false(inS.predictor.isAwaited(digestNumber(0)));
  const inB = await open(t, { sizes, dedup: { mode: 'b', replicas: 0 } });
  await inB.pull();
  t.deepEqual([numbers(inB.disk), numbers(inB.begun), numbers(inB.started)], [[], [0], [1]]);
  t.like(inB.told, { made: 2, used: 0 });
  inB.ask(0);
  t.like(inB.told, { made: 2, used: 1 });
});

test('what was begun and nobody came for is counted soon, as it is gone soon', async (t) => {
  const { pull, told, clock, predictor } = await open(t, {
    sizes: [LARGE],
    dedup: { mode: 'b', replicas: 0 },
  });
  await pull();
  t.true(predictor.isAwaited(digestNumber(0)));
  await clock.advance(BEGUN_MS + 10_000);
  t.like(told, { made: 1, used: 0, wasted: 1 });
  t.false(predictor.isAwaited(digestNumber(0)));
});

test('whole copies ahead take no more than their share of the budget', async (t) => {
  const sizes = new Array(30).fill(4 * LARGE);
  const { pull, disk } = await open(t, { sizes });
  await pull();
  t.is(disk.length, 6, 'a quarter of 100 is 25, and each takes 4');
  await pull('two');
  t.is(disk.length, 6);
});

for (const dedup of [{ predict: false }, { mode: 'off' }] as const) {
  test(`with ${JSON.stringify(dedup)} nothing is made ahead`, async (t) => {
    const { pull, started, told } = await open(t, { dedup });
    await pull();
    t.deepEqual(started, []);
    t.deepEqual(told, { made: 0, used: 0, wasted: 0 });
  });
}

test('nothing is made while clients wait, and nothing that is asked for or too late', async (t) => {
  const { pull, ask, started, state, clock, told } = await open(t);
  state.isBusy = true;
  await pull();
  await clock.advance(100);
  t.deepEqual(started, []);
  ask(0);
  ask(1);
  state.isBusy = false;
  await clock.advance(100);
  t.deepEqual(numbers(started), [2]);
  t.is(told.made, 1);
  state.isBusy = true;
  await pull('two');
  await clock.advance(10_000);
  state.isBusy = false;
  await clock.advance(1000);
  t.deepEqual(numbers(started), [2]);
});

test('a layer that is asked for while it is made is given up', async (t) => {
  const { pull, ask, started, state, clock, told, memory } = await open(t, {
    sizes: [10],
    options: {
      makeInMemory: async ({ size }, pause, signal) => {
        state.isBusy = true;
        await pause(signal);
        return new Uint8Array(size);
      },
    },
  });
  await pull();
  await clock.advance(40);
  ask(0);
  await clock.advance(40);
  state.isBusy = false;
  await clock.advance(100);
  t.is(memory.get(digestNumber(0)), undefined);
  t.deepEqual(told, { made: 0, used: 0, wasted: 0 });
  t.deepEqual(started, []);
});

test('what nobody comes for is counted, goes, and lets fewer be made', async (t) => {
  const { predictor, clock, told, memory, started, pull } = await open(t, {
    sizes: new Array(30).fill(10),
  });
  await pull();
  t.is(told.made, 16);
  await clock.advance(50_000);
  t.is(told.wasted, 0);
  t.true(memory.has(digestNumber(0)));
  await clock.advance(30_000);
  t.is(told.wasted, 16);
  t.false(memory.has(digestNumber(0)));
  t.false(predictor.isAwaited(digestNumber(0)));
  started.length = 0;
  await pull();
  t.is(started.length, 2, 'a poor share');
  await clock.advance(80_000);
  started.length = 0;
  await pull();
  t.deepEqual(started, [], 'a share that is no use');
});

test('a layer that went while it was made is not kept', async (t) => {
  const parts: { files?: MemoryFileIndex } = {};
  const setup = await open(t, {
    sizes: [10],
    options: {
      makeInMemory: async ({ digest, size }) => {
        await parts.files?.removeLayer(digest);
        return new Uint8Array(size);
      },
    },
  });
  parts.files = setup.files;
  await setup.pull();
  t.false(setup.memory.has(digestNumber(0)));
  t.is(setup.told.made, 0);
});

test('an error while one is made ends only that one', async (t) => {
  let isFirst = true;
  const setup = await open(t, {
    options: {
      makeInMemory: ({ size }) => {
        const fails = isFirst;
        isFirst = false;
        return fails ? Promise.reject(new Error('no')) : Promise.resolve(new Uint8Array(size));
      },
    },
  });
  await setup.pull();
  t.is(setup.told.made, 2);
});

test('makeInMemory() gives the right bytes or none, and tells of damage', async (t) => {
  const folder = await openDedupFolder(t);
  const layer = makeTar(makeFiles(5, 1));
  const digest = await folder.putRecipe(layer);
  const damaged: Digest[] = [];
  let change = (_: Uint8Array): void => undefined;
  const make = (one: Digest, size: number) =>
    makeInMemory(
      {
        hashing: folder.runtime.hashing,
        openRestoration: async (asked) => {
          const real = await folder.restorations.openAlone(asked);
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
        },
        onDamaged: (asked) => {
          damaged.push(asked);
          return Promise.resolve();
        },
        pause: () => Promise.resolve(),
      },
      one,
      size,
      new AbortController().signal,
    );
  sameBytes(t, await make(digest, layer.length), layer);
  t.is(await make(digestNumber(5), 10), undefined, 'it is not known');
  t.deepEqual(damaged, []);
  t.is(await make(digest, layer.length - 1), undefined);
  change = (piece) => piece.fill(7, 0, 1);
  t.is(await make(digest, layer.length), undefined);
  t.deepEqual(damaged, [digest, digest]);
});
