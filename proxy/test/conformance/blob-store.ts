// What every BlobStore does, as one suite.

import { createHash } from 'node:crypto';
import type { ExecutionContext, TestFn } from 'ava';
import { type Digest, type DigestAlgorithm, digestOf } from '../../src/oci/digest.ts';
import {
  type BlobSource,
  type BlobStore,
  ShortBlobError,
  WrongBlobError,
} from '../../src/store/blob-store.ts';
import { HELD_BACK_TAIL } from '../../src/store/held-back-tail.ts';

export interface BlobStoreUnderTest {
  readonly store: BlobStore;
  /** Digests that the store reported as damaged. */
  readonly damaged: readonly Digest[];
  /** Closes the store and opens it again, as after a restart. */
  reopen(): Promise<BlobStore>;
  /** Changes a byte of a committed blob behind the store's back. */
  damage(digest: Digest, position: number): Promise<void>;
  remove(): Promise<void>;
}

/** Bytes that do not repeat within any block size. */
export function makeBytes(size: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(size);
  for (let at = 0, state = seed; at < size; at += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
}

export function digestBytes(bytes: Uint8Array, algorithm: DigestAlgorithm = 'sha256'): Digest {
  return digestOf(algorithm, createHash(algorithm).update(bytes).digest('hex'));
}

export async function readAll(source: BlobSource, step = 50_000): Promise<Uint8Array> {
  const buffer = new Uint8Array(step);
  const parts: Uint8Array[] = [];
  for (let position = 0; ; ) {
    const count = await source.read(buffer, position);
    if (count === 0) return Buffer.concat(parts);
    parts.push(buffer.slice(0, count));
    position += count;
  }
}

/** Writes a blob by begin(), append() and commit(). */
export async function fill(store: BlobStore, digest: Digest, bytes: Uint8Array): Promise<void> {
  const partial = await store.begin(digest);
  try {
    await partial.append(bytes.subarray(partial.length));
    await partial.commit(bytes.length);
  } finally {
    await partial.close();
  }
}

async function digestsOf(entries: AsyncIterable<{ digest: Digest }>): Promise<Digest[]> {
  const all: Digest[] = [];
  for await (const { digest } of entries) all.push(digest);
  return all.sort((one, other) => (one < other ? -1 : 1));
}

function assertSame(t: ExecutionContext, got: Uint8Array | undefined, expected: Uint8Array): void {
  t.is(got === undefined ? -1 : Buffer.compare(got, expected), 0);
}

async function openThere(store: BlobStore, digest: Digest): Promise<BlobSource> {
  const source = await store.open(digest);
  if (source === undefined) throw new Error(`${digest} is absent`);
  return source;
}

type Check = (
  title: string,
  body: (t: ExecutionContext, made: BlobStoreUnderTest) => Promise<void>,
) => void;

/** A few reads long, with a part that is held back until the check. */
const LARGE = makeBytes(3 * HELD_BACK_TAIL + 17);
const SMALL = makeBytes(1000, 2);

/** Declares the suite for an implementation; `make` gives an empty store. */
export function testBlobStore(
  test: TestFn,
  name: string,
  make: () => Promise<BlobStoreUnderTest>,
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
  testWriting(check);
  testPartial(check);
  testReading(check);
  testDamage(check);
}

function testWriting(check: Check): void {
  for (const algorithm of ['sha256', 'sha512'] as const) {
    check(`commit() publishes a ${algorithm} blob, also for the next start`, async (t, made) => {
      const digest = digestBytes(LARGE, algorithm);
      await fill(made.store, digest, LARGE);
      t.is(await made.store.stat(digest), LARGE.length);
      const store = await made.reopen();
      t.is(await store.stat(digest), LARGE.length);
      assertSame(t, await store.read(digest), LARGE);
      t.deepEqual(await digestsOf(store.list()), [digest]);
      t.deepEqual(await digestsOf(store.partials()), []);
    });
  }

  check('commit() publishes an empty blob', async (t, { store }) => {
    const digest = digestBytes(new Uint8Array());
    await fill(store, digest, new Uint8Array());
    t.is(await store.stat(digest), 0);
    const source = await openThere(store, digest);
    assertSame(t, await readAll(source), new Uint8Array());
    source.close();
  });

  check('append() shows nothing before commit()', async (t, { store }) => {
    const digest = digestBytes(SMALL);
    const partial = await store.begin(digest);
    await partial.append(SMALL);
    t.is(await store.stat(digest), undefined);
    t.is(await store.open(digest), undefined);
    t.is(await store.read(digest), undefined);
    t.deepEqual(await digestsOf(store.list()), []);
    await partial.discard();
    await partial.close();
  });

  check('commit() rejects other bytes and discards them', async (t, { store }) => {
    const digest = digestBytes(SMALL);
    const partial = await store.begin(digest);
    await partial.append(makeBytes(SMALL.length, 3));
    await t.throwsAsync(partial.commit(SMALL.length), { instanceOf: WrongBlobError });
    await partial.close();
    t.is(await store.stat(digest), undefined);
    t.deepEqual(await digestsOf(store.partials()), []);
    await fill(store, digest, SMALL);
    assertSame(t, await store.read(digest), SMALL);
  });

  check('commit() rejects another size and discards the bytes', async (t, { store }) => {
    const digest = digestBytes(SMALL);
    const partial = await store.begin(digest);
    await partial.append(SMALL);
    await t.throwsAsync(partial.commit(SMALL.length + 1), { instanceOf: WrongBlobError });
    await partial.close();
    const again = await store.begin(digest);
    t.is(again.length, 0);
    await again.discard();
    await again.close();
  });

  check('put() publishes, also when many put the same blob at once', async (t, { store }) => {
    const digest = digestBytes(SMALL);
    await Promise.all(Array.from({ length: 8 }, () => store.put(digest, SMALL)));
    assertSame(t, await store.read(digest), SMALL);
    t.deepEqual(await digestsOf(store.list()), [digest]);
    t.false(store.isBusy(digest));
  });

  check('put() rejects bytes of another digest', async (t, { store }) => {
    const digest = digestBytes(SMALL);
    await t.throwsAsync(store.put(digest, LARGE), { instanceOf: WrongBlobError });
    t.is(await store.stat(digest), undefined);
  });
}

function testPartial(check: Check): void {
  const digest = digestBytes(LARGE);
  const half = LARGE.length >> 1;

  check('begin() goes on where a fill was suspended before a restart', async (t, made) => {
    const first = await made.store.begin(digest);
    await first.append(LARGE.subarray(0, half));
    await first.suspend();
    await first.close();
    const store = await made.reopen();
    t.deepEqual(await digestsOf(store.partials()), [digest]);
    const second = await store.begin(digest);
    t.is(second.length, half);
    await second.append(LARGE.subarray(half));
    await second.commit(LARGE.length);
    await second.close();
    assertSame(t, await store.read(digest), LARGE);
    t.deepEqual(await digestsOf(store.partials()), []);
  });

  check('begin() rejects while another one writes', async (t, { store }) => {
    const first = await store.begin(digest);
    await t.throwsAsync(store.begin(digest));
    await first.append(SMALL);
    await first.suspend();
    const second = await store.begin(digest);
    await second.discard();
    await Promise.all([first.close(), second.close()]);
  });

  check('read() of a partial blob gives what was appended, also after commit', async (t, made) => {
    const partial = await made.store.begin(digest);
    const buffer = new Uint8Array(100);
    t.is(await partial.read(buffer, 0), 0);
    await partial.append(LARGE.subarray(0, 150));
    t.is(await partial.read(buffer, 100), 50);
    assertSame(t, buffer.subarray(0, 50), LARGE.subarray(100, 150));
    await partial.append(LARGE.subarray(150));
    await partial.commit(LARGE.length);
    t.is(await partial.read(buffer, half), 100);
    assertSame(t, buffer, LARGE.subarray(half, half + 100));
    await partial.close();
  });

  check('removePartial() removes what was suspended', async (t, { store }) => {
    const partial = await store.begin(digest);
    await partial.append(SMALL);
    await partial.suspend();
    await partial.close();
    t.true(await store.removePartial(digest));
    t.false(await store.removePartial(digest));
    t.deepEqual(await digestsOf(store.partials()), []);
  });
}

function testReading(check: Check): void {
  const digest = digestBytes(LARGE);

  check('open() gives all bytes, before and after the first check', async (t, made) => {
    await fill(made.store, digest, LARGE);
    const store = await made.reopen();
    for (let round = 0; round < 2; round += 1) {
      const source = await openThere(store, digest);
      t.is(source.size, LARGE.length);
      assertSame(t, await readAll(source), LARGE);
      source.close();
      source.close();
    }
    t.deepEqual(made.damaged, []);
  });

  check('open() gives bytes from the middle and the end', async (t, made) => {
    await fill(made.store, digest, LARGE);
    const source = await openThere(await made.reopen(), digest);
    const buffer = new Uint8Array(100);
    for (const position of [HELD_BACK_TAIL, LARGE.length - 100]) {
      t.is(await source.read(buffer, position), 100);
      assertSame(t, buffer, LARGE.subarray(position, position + 100));
    }
    t.is(await source.read(buffer, LARGE.length), 0);
    source.close();
  });

  check('isBusy() holds while a blob is read or written', async (t, { store }) => {
    const partial = await store.begin(digest);
    t.true(store.isBusy(digest));
    await partial.append(LARGE);
    await partial.commit(LARGE.length);
    await partial.close();
    t.false(store.isBusy(digest));
    const source = await openThere(store, digest);
    t.true(store.isBusy(digest));
    source.close();
    t.false(store.isBusy(digest));
  });

  check('remove() leaves open sources their bytes', async (t, { store }) => {
    await fill(store, digest, LARGE);
    const source = await openThere(store, digest);
    t.true(await store.remove(digest));
    t.false(await store.remove(digest));
    t.is(await store.stat(digest), undefined);
    t.is(await store.open(digest), undefined);
    assertSame(t, await readAll(source), LARGE);
    source.close();
  });

  check('stat(), open(), read() and verify() say when a blob is absent', async (t, { store }) => {
    t.is(await store.stat(digest), undefined);
    t.is(await store.open(digest), undefined);
    t.is(await store.read(digest), undefined);
    t.is(await store.verify(digest), 'absent');
    await store.quarantine(digest);
  });
}

function testDamage(check: Check): void {
  const digest = digestBytes(LARGE);

  check('open() never gives the end of a damaged blob, to nobody', async (t, made) => {
    await fill(made.store, digest, LARGE);
    const store = await made.reopen();
    await made.damage(digest, 5);
    const sources = await Promise.all([1, 2, 3].map(() => openThere(store, digest)));
    for (const source of sources) {
      await t.throwsAsync(readAll(source), { instanceOf: ShortBlobError });
      source.close();
    }
    t.is(await store.stat(digest), undefined);
    t.is(await store.open(digest), undefined);
    t.true(made.damaged.includes(digest));
    await fill(store, digest, LARGE);
    const healed = await openThere(store, digest);
    assertSame(t, await readAll(healed), LARGE);
    healed.close();
  });

  check('read() gives nothing of a damaged blob', async (t, made) => {
    const small = digestBytes(SMALL);
    await made.store.put(small, SMALL);
    await made.damage(small, 999);
    t.is(await made.store.read(small), undefined);
    t.is(await made.store.stat(small), undefined);
    t.deepEqual(made.damaged, [small]);
  });

  check('verify() tells whole from damaged', async (t, made) => {
    await fill(made.store, digest, LARGE);
    t.is(await made.store.verify(digest), 'whole');
    await made.damage(digest, LARGE.length - 1);
    t.is(await made.store.verify(digest), 'damaged');
    await made.store.quarantine(digest);
    t.is(await made.store.verify(digest), 'absent');
    t.deepEqual(await digestsOf(made.store.list()), []);
  });
}
