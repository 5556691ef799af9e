import test, { type ExecutionContext } from 'ava';
import { GIVEN_UP, IngestQueue, type IngestQueueOptions } from '../../src/dedup/ingest-queue.ts';
import type { Digest } from '../../src/oci/digest.ts';
import { digestBytes, makeBytes } from '../conformance/blob-store.ts';
import { FakeClock } from '../doubles/fake-clock.ts';
import { MemoryFileIndex } from '../doubles/memory-file-index.ts';
import { quietLog } from '../doubles/quiet-log.ts';

const [FIRST, SECOND, THIRD] = [1, 2, 3].map((seed) => digestBytes(makeBytes(10, seed))) as [
  Digest,
  Digest,
  Digest,
];

interface Parts {
  readonly index: MemoryFileIndex;
  readonly clock: FakeClock;
}

function openQueue(
  t: ExecutionContext,
  { index, clock }: Parts,
  options: Partial<IngestQueueOptions> = {},
): IngestQueue {
  const queue = new IngestQueue({
    ...{ index, clock, log: quietLog, owner: crypto.randomUUID() },
    isBusy: () => false,
    ingest: (digest) => index.dequeue(digest),
    ...options,
  });
  t.teardown(() => queue.close());
  return queue;
}

function makeParts(): Parts {
  return { index: new MemoryFileIndex(), clock: new FakeClock() };
}

/** Moves the clock in small steps until something holds. */
async function until(clock: FakeClock, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let step = 0; step < 10_000; step += 1) {
    if (await holds()) return;
    await clock.advance(100);
  }
  throw new Error('it never came to it');
}

function byText(one: string, other: string): number {
  return one < other ? -1 : 1;
}

async function queued(index: MemoryFileIndex): Promise<number> {
  return (await index.totals()).layers.queued;
}

test('the queue works on layers in the order in which they came, one at a time', async (t) => {
  const parts = makeParts();
  const { index, clock } = parts;
  for (const digest of [SECOND, FIRST, THIRD]) {
    await index.enqueue(digest, clock.now());
    await clock.advance(1);
  }
  const done: Digest[] = [];
  let running = 0;
  const queue = openQueue(t, parts, {
    ingest: async (digest) => {
      running += 1;
      t.is(running, 1);
      t.is(queue.current, digest);
      await clock.sleep(500);
      done.push(digest);
      await index.dequeue(digest);
      running -= 1;
    },
  });
  queue.start();
  await until(clock, async () => (await queued(index)) === 0);
  t.deepEqual(done, [SECOND, FIRST, THIRD]);
  t.is(queue.current, undefined);
});

test('wake() has a layer looked at now, whenever it comes', async (t) => {
  const parts = makeParts();
  const { index, clock } = parts;
  const queue = openQueue(t, parts);
  queue.start();
  await clock.advance(0);
  await index.enqueue(FIRST, clock.now());
  queue.wake();
  await until(clock, async () => (await queued(index)) === 0);
  t.true(clock.now() < new FakeClock().now() + 5000, 'it did not wait for the next look');
});

test('two queues on one index never work on the same layer', async (t) => {
  const parts = makeParts();
  const { index, clock } = parts;
  const digests = Array.from({ length: 20 }, (_, seed) => digestBytes(makeBytes(10, seed + 10)));
  for (const digest of digests) await index.enqueue(digest, clock.now());
  const done: Digest[] = [];
  const ingest = async (digest: Digest) => {
    done.push(digest);
    // Longer than a claim holds: it has to be renewed.
    await clock.sleep(100_000);
    await index.dequeue(digest);
  };
  for (let count = 0; count < 2; count += 1) openQueue(t, parts, { ingest }).start();
  while ((await queued(index)) > 0) await clock.advance(5000);
  t.is(done.length, digests.length);
  t.deepEqual([...done].sort(byText), [...digests].sort(byText));
});

test('what fails is tried again, later each time, and given up in the end', async (t) => {
  const parts = makeParts();
  const { index, clock } = parts;
  await index.enqueue(FIRST, clock.now());
  const tries: number[] = [];
  const queue = openQueue(t, parts, {
    ingest: () => {
      tries.push(clock.now());
      return Promise.reject(new Error('the disk is full'));
    },
  });
  queue.start();
  while ((await queued(index)) > 0) await clock.advance(60_000);
  t.is(tries.length, 12);
  const pauses = tries.slice(1).map((at, index) => at - (tries[index] ?? 0));
  t.true((pauses[0] ?? 0) >= 10_000);
  t.true((pauses.at(-1) ?? 0) >= 3_600_000);
  const record = await index.getLayer(FIRST);
  t.is(record?.kind === 'whole' && record.reason, GIVEN_UP);
});

test('close() ends the work, and the layer is free at once', async (t) => {
  const parts = makeParts();
  const { index, clock } = parts;
  await index.enqueue(FIRST, clock.now());
  const queue = openQueue(t, parts, {
    ingest: (_, signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason));
      }),
  });
  queue.start();
  await until(clock, () => queue.current === FIRST);
  await queue.close();
  t.is((await index.claim('other', clock.now(), clock.now() + 1))?.digest, FIRST);
});

test('a layer that another process took over is left to it', async (t) => {
  const parts = makeParts();
  const { index, clock } = parts;
  await index.enqueue(FIRST, clock.now());
  let ended: unknown;
  const queue = openQueue(t, parts, {
    owner: 'mine',
    ingest: (_, signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          ended = signal.reason;
          reject(signal.reason);
        });
      }),
  });
  queue.start();
  await until(clock, () => queue.current === FIRST);
  // As after a long stop of this process.
  await index.release(FIRST, 'mine', clock.now());
  await index.claim('other', clock.now(), clock.now() + 3_600_000);
  await until(clock, () => ended !== undefined);
  t.regex(String(ended), /claimed by somebody else/);
  await clock.advance(1);
  t.true(await index.renew(FIRST, 'other', clock.now() + 1));
});

test('a layer waits while the mirror is busy, but not for ever', async (t) => {
  const parts = makeParts();
  const { index, clock } = parts;
  await index.enqueue(FIRST, clock.now());
  let isBusy = true;
  const queue = openQueue(t, parts, { isBusy: () => isBusy });
  const startMs = clock.now();
  queue.start();
  await clock.advance(20_000);
  t.is(await queued(index), 1);
  await until(clock, async () => (await queued(index)) === 0);
  t.true(clock.now() - startMs < 40_000);
  isBusy = false;
});

test('the queue goes on when the index fails for a while', async (t) => {
  const parts = makeParts();
  const { index, clock } = parts;
  await index.enqueue(FIRST, clock.now());
  const claim = index.claim.bind(index);
  index.claim = () => Promise.reject(new Error('the index cannot be written'));
  const queue = openQueue(t, parts);
  queue.start();
  await clock.advance(1000);
  index.claim = claim;
  await until(clock, async () => (await queued(index)) === 0);
  t.pass();
});
