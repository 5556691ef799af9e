import test, { type ExecutionContext } from 'ava';
import { sampleSavings } from '../../src/admin/sample-savings.ts';
import { openSavingsHistory } from '../../src/admin/savings-history.ts';
import type { StoreUsage } from '../../src/admin/stats.ts';
import { openLmdbEnvironment } from '../../src/store/lmdb-environment.ts';
import { FakeClock } from '../doubles/fake-clock.ts';
import { silentLog } from '../doubles/test-app.ts';
import { makeFolder, removeFolder } from '../doubles/test-runtime.ts';

const MINUTE_MS = 60_000;

async function openFolder(t: ExecutionContext) {
  const folder = await makeFolder();
  t.teardown(() => removeFolder(folder));
  return () => openLmdbEnvironment({ folder });
}

function usageOf(stored: number): StoreUsage {
  const layers = { total: 1, whole: 0, recipeOnly: 1, pending: 0, notExact: 0, reasons: {} };
  const bytes = { tar: 3 * stored, compressed: 2 * stored, stored, recipes: 1, packs: 1 };
  const files = { unique: 1, duplicate: 0 };
  const hot = { layers: 0, bytes: 0 };
  return { blobs: 1, bytes: 1, layers: { layers, bytes, files, hot } };
}

test('a restart knows the samples, and only those that were kept', async (t) => {
  const open = await openFolder(t);
  const first = await open();
  const history = openSavingsHistory(first);
  for (let minute = 0; minute < 600; minute += 1)
    await history.add({ atMs: minute * MINUTE_MS, tar: minute, compressed: 2, stored: 1 });
  const samples = history.samples();
  t.true(samples.length < 300, String(samples.length));
  t.is(samples.at(-1)?.tar, 599);
  await first.close();
  const second = await open();
  t.deepEqual(openSavingsHistory(second).samples(), samples);
  await second.close();
});

test('a sample that tells nothing new is not kept', async (t) => {
  const environment = await (await openFolder(t))();
  const history = openSavingsHistory(environment);
  await history.add({ atMs: 1, tar: 3, compressed: 2, stored: 1 });
  await history.add({ atMs: 2, tar: 3, compressed: 2, stored: 1 });
  await history.add({ atMs: 3, tar: 3, compressed: 2, stored: 2 });
  t.deepEqual(
    history.samples().map(({ atMs }) => atMs),
    [1, 3],
  );
  await environment.close();
});

test('after the clock was set back, samples of the future make room', async (t) => {
  const open = await openFolder(t);
  const environment = await open();
  const history = openSavingsHistory(environment);
  const sizes = { tar: 3, compressed: 2, stored: 1 };
  await history.add({ atMs: 9000, ...sizes });
  await history.add({ atMs: 10, ...sizes });
  t.deepEqual(history.samples(), [{ atMs: 10, ...sizes }]);
  await environment.close();
  const again = await open();
  t.deepEqual(openSavingsHistory(again).samples(), [{ atMs: 10, ...sizes }]);
  await again.close();
});

test('sampleSavings() samples at once and every minute, also after a failure, until it is closed', async (t) => {
  const environment = await (await openFolder(t))();
  const history = openSavingsHistory(environment);
  const clock = new FakeClock();
  const startMs = clock.now();
  let reads = 0;
  const usage = (): Promise<StoreUsage> => {
    reads += 1;
    return reads === 2 ? Promise.reject(new Error('no')) : Promise.resolve(usageOf(reads));
  };
  const close = sampleSavings({ history, usage, clock, log: silentLog });
  for (let minute = 0; minute < 3; minute += 1) {
    await untilSleeping(clock);
    await clock.advance(MINUTE_MS);
  }
  await untilSleeping(clock);
  await close();
  t.deepEqual(
    history.samples().map(({ atMs, stored }) => [atMs - startMs, stored]),
    [
      [0, 1],
      [2 * MINUTE_MS, 3],
      [3 * MINUTE_MS, 4],
    ],
  );
  await environment.close();
});

test('sampleSavings() waits for its first sample as long as is asked for', async (t) => {
  const environment = await (await openFolder(t))();
  const history = openSavingsHistory(environment);
  const clock = new FakeClock();
  const usage = () => Promise.resolve(usageOf(1));
  const close = sampleSavings({ history, usage, clock, log: silentLog, firstMs: 1000 });
  await untilSleeping(clock);
  t.is(history.samples().length, 0);
  await clock.advance(1000);
  await untilSleeping(clock);
  t.is(history.samples().length, 1);
  await close();
  await environment.close();
});

/** Writes take real time, after which the sampler waits for the clock. */
async function untilSleeping(clock: FakeClock): Promise<void> {
  while (clock.sleeping === 0) await new Promise((resolve) => setImmediate(resolve));
}
