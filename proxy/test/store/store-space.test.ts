import test from 'ava';
import fc from 'fast-check';
import type { Digest } from '../../src/oci/digest.ts';
import type { DiskSpace } from '../../src/runtime/runtime.ts';
import { GRACE_MS } from '../../src/store/evict.ts';
import { reserveOf } from '../../src/store/quota.ts';
import { openStoreSpace, type StoreSpace } from '../../src/store/store-space.ts';
import { measureBytes } from '../../src/store/usage.ts';
import { FakeClock } from '../doubles/fake-clock.ts';
import { MemoryBlobStore } from '../doubles/memory-blob-store.ts';
import { MemoryIndex } from '../doubles/memory-index.ts';
import { quietLog } from '../doubles/quiet-log.ts';
import { makeTestRuntime } from '../doubles/test-runtime.ts';
import { bytesOf, sha256, storeLayer, storeManifest } from './store-images.ts';

const KIB = 1024;
const DISK_SIZE = 2 ** 40;

class Machine {
  readonly clock = new FakeClock();
  readonly store = new MemoryBlobStore({ clock: this.clock });
  readonly index = new MemoryIndex();
  readonly evicted: { images: number; bytes: number }[] = [];
  disk: DiskSpace = { size: DISK_SIZE, free: DISK_SIZE };
  readonly space: StoreSpace;

  constructor(quota: number) {
    this.space = openStoreSpace({
      store: this.store,
      index: this.index,
      config: { quota: { kind: 'bytes', bytes: quota }, data: '/data' },
      runtime: makeTestRuntime({ clock: this.clock, disk: () => this.disk }),
      observer: { evicted: (images, bytes) => this.evicted.push({ images, bytes }) },
      log: quietLog,
    });
  }

  /** Stores an image with one layer, as a fill does, and lets it grow old. */
  async pull(name: string, size: number) {
    const parts = { store: this.store, index: this.index, nowMs: this.clock.now() };
    const layer = await storeLayer(this.store, name, size);
    const manifest = await storeManifest(parts, { tag: name, blobs: [layer] });
    this.space.stored(layer.size);
    this.space.stored(manifest.size);
    await this.clock.advance(GRACE_MS);
    return { layer: layer.digest, manifest: manifest.digest };
  }
}

test('admit() says yes while the quota has room, and counts what it promised', async (t) => {
  const { space } = new Machine(100 * KIB);
  await space.counted;
  t.true(await space.admit(60 * KIB));
  t.false(await space.admit(60 * KIB));
  space.released(60 * KIB);
  t.true(await space.admit(60 * KIB));
});

test('admit() promises the same room only once when asked at the same time', async (t) => {
  const { space } = new Machine(100 * KIB);
  await space.counted;
  const answers = await Promise.all([1, 2, 3, 4].map(() => space.admit(40 * KIB)));
  t.deepEqual(answers, [true, true, false, false]);
});

test('admit() evicts the least recently used image', async (t) => {
  const machine = new Machine(100 * KIB);
  const oldest = await machine.pull('oldest', 30 * KIB);
  const used = await machine.pull('used', 30 * KIB);
  machine.index.touch(oldest.manifest, machine.clock.now());
  await machine.clock.advance(GRACE_MS);
  t.true(await machine.space.admit(40 * KIB));
  t.is(await machine.store.stat(used.layer), undefined);
  t.is(await machine.index.getManifest(used.manifest), undefined);
  t.is(await machine.store.stat(oldest.layer), 30 * KIB);
  t.is(machine.evicted.length, 1);
});

test('admit() evicts nothing for what can be done without', async (t) => {
  const machine = new Machine(100 * KIB);
  const { layer } = await machine.pull('only', 60 * KIB);
  t.false(await machine.space.admit(60 * KIB, false));
  t.true(await machine.space.admit(20 * KIB, false));
  t.is(await machine.store.stat(layer), 60 * KIB);
  t.deepEqual(machine.evicted, []);
});

test('admit() gives up without evicting when the blob alone is over the quota', async (t) => {
  const machine = new Machine(100 * KIB);
  const { layer } = await machine.pull('kept', 30 * KIB);
  t.false(await machine.space.admit(200 * KIB));
  t.is(await machine.store.stat(layer), 30 * KIB);
});

test('admit() never evicts what is being served', async (t) => {
  const machine = new Machine(100 * KIB);
  const { layer } = await machine.pull('served', 60 * KIB);
  const source = await machine.store.open(layer);
  t.false(await machine.space.admit(60 * KIB));
  source?.close();
  await machine.clock.advance(GRACE_MS);
  t.true(await machine.space.admit(60 * KIB));
});

test('admit() evicts once for all who ask at the same time', async (t) => {
  const machine = new Machine(200 * KIB);
  for (const name of ['a', 'b', 'c', 'd']) await machine.pull(name, 40 * KIB);
  const answers = await Promise.all([1, 2, 3].map(() => machine.space.admit(32 * KIB)));
  t.deepEqual(answers, [true, true, true]);
  t.is(machine.evicted.length, 1);
});

test('admit() keeps a reserve of the disk free', async (t) => {
  const machine = new Machine(DISK_SIZE);
  await machine.space.counted;
  const reserve = reserveOf(machine.disk);
  machine.disk = { size: DISK_SIZE, free: reserve + 50 * KIB };
  t.false(await machine.space.admit(60 * KIB));
  t.true(await machine.space.admit(40 * KIB));
});

test('admit() says no when the disk cannot be asked', async (t) => {
  const machine = new Machine(DISK_SIZE);
  Object.defineProperty(machine, 'disk', {
    get: () => {
      throw new Error('input/output error');
    },
  });
  t.false(await machine.space.admit(1));
});

test('admit() counts what was in the store before it was opened', async (t) => {
  const store = new MemoryBlobStore();
  const bytes = bytesOf('there before', 80 * KIB);
  store.plant(sha256(bytes), bytes);
  const clock = new FakeClock();
  const space = openStoreSpace({
    store,
    index: new MemoryIndex(),
    config: { quota: { kind: 'bytes', bytes: 100 * KIB }, data: '/data' },
    runtime: makeTestRuntime({ clock }),
    observer: { evicted: () => undefined },
    log: quietLog,
  });
  await space.counted;
  t.is((await space.status()).used, 80 * KIB);
  store.busy.add(sha256(bytes));
  t.false(await space.admit(40 * KIB));
});

test('what was there is counted as late as is asked for, and not after the abort', async (t) => {
  const store = new MemoryBlobStore();
  const bytes = bytesOf('there before', 80 * KIB);
  store.plant(sha256(bytes), bytes);
  const clock = new FakeClock();
  const ending = new AbortController();
  const open = () =>
    openStoreSpace({
      store,
      index: new MemoryIndex(),
      config: { quota: { kind: 'bytes', bytes: 100 * KIB }, data: '/data' },
      runtime: makeTestRuntime({ clock }),
      observer: { evicted: () => undefined },
      log: quietLog,
      counting: { afterMs: 1000, signal: ending.signal },
    });
  const space = open();
  t.is((await space.status()).used, undefined);
  await clock.advance(1000);
  await space.counted;
  t.is((await space.status()).used, 80 * KIB);
  const other = open();
  ending.abort();
  await other.counted;
  t.is((await other.status()).used, undefined);
});

test('admit() forgets a promise that nobody kept or gave back within an hour', async (t) => {
  const machine = new Machine(100 * KIB);
  await machine.space.counted;
  t.true(await machine.space.admit(80 * KIB));
  t.false(await machine.space.admit(80 * KIB));
  await machine.clock.advance(61 * 60 * 1000);
  t.true(await machine.space.admit(80 * KIB));
});

test('admit() makes room in the background when little is left', async (t) => {
  const machine = new Machine(1000 * KIB);
  const { layer } = await machine.pull('old', 500 * KIB);
  t.true(await machine.space.admit(484 * KIB));
  await machine.clock.advance(0);
  t.is(await machine.store.stat(layer), undefined);
  t.is(machine.evicted.length, 1);
});

test('admit() does not count twice what running fills have written already', async (t) => {
  const machine = new Machine(DISK_SIZE);
  await machine.space.counted;
  const reserve = reserveOf(machine.disk);
  machine.disk = { size: DISK_SIZE, free: reserve + 100 * KIB };
  const bytes = bytesOf('half', 80 * KIB);
  t.true(await machine.space.admit(80 * KIB));
  const partial = await machine.store.begin(sha256(bytes));
  await partial.append(bytes.subarray(0, 60 * KIB));
  machine.disk = { size: DISK_SIZE, free: reserve + 40 * KIB };
  t.false(await machine.space.admit(24 * KIB));
  t.true(await machine.space.admit(20 * KIB));
});

test('admit() keeps the store under its quota and never loses what is young', async (t) => {
  const step = fc.record({ size: fc.integer({ min: 1, max: 60 * KIB }), isPaused: fc.boolean() });
  const law = fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
    const quota = 128 * KIB;
    const machine = new Machine(quota);
    await machine.space.counted;
    const stored: { digest: Digest; atMs: number }[] = [];
    for (const [at, { size, isPaused }] of steps.entries()) {
      if (isPaused) await machine.clock.advance(GRACE_MS);
      if (!(await machine.space.admit(size))) continue;
      const { digest } = await storeLayer(machine.store, `layer ${at}`.padEnd(size), size);
      machine.space.stored(size);
      stored.push({ digest, atMs: machine.clock.now() });
      const usage = await measureBytes(machine.store.list());
      if (usage.allocated > quota) return false;
      for (const { digest: young, atMs } of stored) {
        const isYoung = atMs > machine.clock.now() - GRACE_MS;
        if (isYoung && (await machine.store.stat(young)) === undefined) return false;
      }
    }
    return true;
  });
  await t.notThrowsAsync(() => fc.assert(law, { numRuns: 100 }));
});
