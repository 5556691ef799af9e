import test from 'ava';
import { HELD_BACK_TAIL } from '../../src/store/held-back-tail.ts';
import { body, sha256, upstreamError } from '../doubles/fake-upstream.ts';
import { MemoryBlobStore } from '../doubles/memory-blob-store.ts';
import {
  ABSENT_DIGEST,
  makeMirror,
  patternBytes,
  readBody,
  repository,
  viewer,
} from './mirror-under-test.ts';

const LAYER = patternBytes(1_000_000);
const DIGEST = sha256(LAYER);

/** Moves the clock until the work has ended. */
async function whileTimePasses<Value>(
  clock: { advance(durationMs: number): Promise<void> },
  work: Promise<Value>,
): Promise<Value> {
  let isDone = false;
  const done = work.finally(() => {
    isDone = true;
  });
  for (let step = 0; step < 10_000 && !isDone; step += 1) await clock.advance(100);
  return done;
}

test('pullBlob() fetches once for many, each from its own offset', async (t) => {
  const { mirror, upstream, clock, store, observer } = makeMirror();
  upstream.add(LAYER);
  const pulls = Array.from({ length: 20 }, async (_, at) => {
    const { source } = await mirror.pullBlob(repository(`team/r${at % 3}`), DIGEST, viewer());
    return readBody(source, at * 1000);
  });
  const bodies = await whileTimePasses(clock, Promise.all(pulls));
  for (const [at, { bytes }] of bodies.entries()) {
    t.true(bytes.equals(LAYER.subarray(at * 1000)));
  }
  t.is(upstream.count('open-blob'), 1);
  t.is(await store.stat(DIGEST), LAYER.length);
  t.deepEqual(observer.fills, ['stored']);
});

test('pullBlob() continues a broken body by Range', async (t) => {
  const { mirror, upstream, clock, observer } = makeMirror();
  upstream.add(LAYER);
  upstream.respond = (_, start, attempt) =>
    body(LAYER, start, attempt === 0 ? { breaksAt: 450_000 } : {});
  const { source } = await mirror.pullBlob(repository('a'), DIGEST, viewer());
  const { bytes } = await whileTimePasses(clock, readBody(source));
  t.true(bytes.equals(LAYER));
  const starts = upstream.asked
    .filter(({ what }) => what === 'open-blob')
    .map(({ start }) => start);
  t.deepEqual(starts, [0, 450_000]);
  t.is(observer.resumes, 1);
});

test('pullBlob() skips what it has when the upstream ignores the Range', async (t) => {
  const { mirror, upstream, clock } = makeMirror();
  upstream.add(LAYER);
  upstream.respond = (_, _start, attempt) =>
    body(LAYER, 0, attempt === 0 ? { breaksAt: 450_000 } : {});
  const { source } = await mirror.pullBlob(repository('a'), DIGEST, viewer());
  t.true((await whileTimePasses(clock, readBody(source))).bytes.equals(LAYER));
});

test('pullBlob() begins anew when a continued body is of other bytes', async (t) => {
  const { mirror, upstream, clock } = makeMirror();
  upstream.add(LAYER);
  upstream.respond = (_, start, attempt) => {
    if (attempt === 0) return body(LAYER, 0, { breaksAt: 450_000 });
    if (start > 0) throw upstreamError('invalid');
    return body(LAYER, 0);
  };
  const { source } = await mirror.pullBlob(repository('a'), DIGEST, viewer());
  t.true((await whileTimePasses(clock, readBody(source))).bytes.equals(LAYER));
});

const WRONG: readonly [string, Uint8Array, number | undefined][] = [
  ['of the same size', patternBytes(LAYER.length, 2), LAYER.length],
  ['of another size', patternBytes(LAYER.length + 5, 2), LAYER.length + 5],
  ['more than promised', patternBytes(LAYER.length + 5, 2), LAYER.length],
  ['without a size', patternBytes(LAYER.length, 2), undefined],
];
for (const [title, wrong, size] of WRONG) {
  test(`pullBlob() never hands out all of wrong bytes: ${title}`, async (t) => {
    const { mirror, upstream, clock, store, observer, space } = makeMirror();
    upstream.add(LAYER);
    upstream.respond = () => body(wrong, 0, { size });
    const pulled = mirror
      .pullBlob(repository('a'), DIGEST, viewer())
      .then(({ source }) => readBody(source));
    const outcome = await whileTimePasses(
      clock,
      pulled.catch((error: unknown) => ({ error, bytes: Buffer.alloc(0) })),
    );
    t.truthy(outcome.error);
    t.true(outcome.bytes.length <= LAYER.length - HELD_BACK_TAIL + 5);
    t.is(await store.stat(DIGEST), undefined);
    t.deepEqual(observer.fills, ['failed']);
    t.is(space.promised, 0);
    upstream.respond = undefined;
    const again = await mirror.pullBlob(repository('a'), DIGEST, viewer());
    t.true((await whileTimePasses(clock, readBody(again.source))).bytes.equals(LAYER));
  });
}

test('pullBlob() keeps what came when the upstream gives out, and goes on from there', async (t) => {
  const { mirror, upstream, clock, store } = makeMirror();
  upstream.add(LAYER);
  upstream.respond = (_, start) => body(LAYER, start, { breaksAt: 450_000 });
  const { source } = await mirror.pullBlob(repository('a'), DIGEST, viewer());
  const short = await whileTimePasses(clock, readBody(source));
  t.truthy(short.error);
  const kept: number[] = [];
  for await (const { size } of store.partials()) kept.push(size);
  t.deepEqual(kept, [450_000]);
  upstream.respond = undefined;
  upstream.asked.length = 0;
  const again = await mirror.pullBlob(repository('a'), DIGEST, viewer());
  t.true((await whileTimePasses(clock, readBody(again.source))).bytes.equals(LAYER));
  t.is(upstream.asked.find(({ what }) => what === 'open-blob')?.start, 450_000);
});

test('pullBlob() goes on from a partial blob although the upstream answers its Range wrongly', async (t) => {
  const { mirror, upstream, clock, store } = makeMirror();
  upstream.add(LAYER);
  const partial = await store.begin(DIGEST);
  await partial.append(LAYER.subarray(0, 300_000));
  await partial.suspend();
  await partial.close();
  upstream.respond = (_, start) => {
    if (start > 0) throw upstreamError('invalid');
    return body(LAYER, 0);
  };
  const { source } = await mirror.pullBlob(repository('a'), DIGEST, viewer());
  t.true((await whileTimePasses(clock, readBody(source))).bytes.equals(LAYER));
});

test('pullBlob() without room never answers with an empty body that the digest does not name', async (t) => {
  const { mirror, upstream, index, space } = makeMirror();
  upstream.add(LAYER);
  await index.putMembership('fake/a', DIGEST, { size: 0, shared: true });
  upstream.respond = () => body(new Uint8Array(), 0, { size: undefined });
  space.isRoomy = false;
  await t.throwsAsync(mirror.pullBlob(repository('a'), DIGEST, viewer()));
});

test('pullBlob() stores a partial blob that turns out to be whole', async (t) => {
  const { mirror, upstream, clock, store } = makeMirror();
  upstream.add(LAYER);
  const partial = await store.begin(DIGEST);
  await partial.append(LAYER);
  await partial.suspend();
  await partial.close();
  const { source } = await mirror.pullBlob(repository('a'), DIGEST, viewer());
  t.true((await whileTimePasses(clock, readBody(source))).bytes.equals(LAYER));
});

test('pullBlob() serves without storing when there is no room', async (t) => {
  const { mirror, upstream, clock, store, space, observer } = makeMirror();
  upstream.add(LAYER);
  space.isRoomy = false;
  const { source } = await mirror.pullBlob(repository('a'), DIGEST, viewer());
  t.true((await whileTimePasses(clock, readBody(source))).bytes.equals(LAYER));
  t.is(await store.stat(DIGEST), undefined);
  t.deepEqual(observer.fills, ['passed-through']);
});

test('pullBlob() goes on from the upstream when the disk gets full in the middle', async (t) => {
  const { mirror, upstream, clock, store, space } = makeMirror(
    new MemoryBlobStore({ capacity: 500_000 }),
  );
  upstream.add(LAYER);
  const pulls = [0, 600_000].map(async (from) => {
    const { source } = await mirror.pullBlob(repository('a'), DIGEST, viewer());
    return readBody(source, from);
  });
  const [whole, rest] = await whileTimePasses(clock, Promise.all(pulls));
  t.true(whole?.bytes.equals(LAYER));
  t.true(rest?.bytes.equals(LAYER.subarray(600_000)));
  t.is(await store.stat(DIGEST), undefined);
  t.is(store.used, 0);
  t.is(space.promised, 0);
});

test('pullBlob() without room never hands out all of wrong bytes', async (t) => {
  const { mirror, upstream, clock, space } = makeMirror();
  upstream.add(LAYER);
  upstream.respond = (_, start) => body(patternBytes(LAYER.length, 3), start);
  space.isRoomy = false;
  const { source } = await mirror.pullBlob(repository('a'), DIGEST, viewer());
  const { bytes, error } = await whileTimePasses(clock, readBody(source));
  t.truthy(error);
  t.true(bytes.length <= LAYER.length - HELD_BACK_TAIL);
});

test('pullBlob() fetches on when every client has gone', async (t) => {
  const { mirror, upstream, clock, store } = makeMirror();
  upstream.add(LAYER);
  const { source } = await mirror.pullBlob(repository('a'), DIGEST, viewer());
  source.close();
  await clock.advance(1000);
  t.is(await store.stat(DIGEST), LAYER.length);
});

test('pullBlob() passes the upstream’s refusal on before the first byte', async (t) => {
  const { mirror } = makeMirror();
  await t.throwsAsync(mirror.pullBlob(repository('a'), ABSENT_DIGEST, viewer()), {
    name: 'UpstreamError',
    message: /not-found/,
  });
});

test('pullBlob() tries the repositories of all who wait when one refuses', async (t) => {
  const { mirror, upstream, clock } = makeMirror();
  upstream.passThrough = true;
  upstream.allowed = new Set(['b']);
  upstream.add(LAYER);
  const refused = mirror.pullBlob(repository('a'), DIGEST, viewer('a'));
  const allowed = mirror.pullBlob(repository('b'), DIGEST, viewer('b'));
  const outcomes = await whileTimePasses(clock, Promise.allSettled([refused, allowed]));
  t.is(outcomes[0].status, 'rejected');
  t.is(outcomes[1].status, 'fulfilled');
});

test('fills() tells what is fetched, from where, and how much of it is there', async (t) => {
  const { mirror, upstream, clock } = makeMirror();
  upstream.add(LAYER);
  upstream.respond = (_, start, attempt) =>
    body(LAYER, start, attempt === 0 ? { breaksAt: 300_000 } : {});
  t.deepEqual(mirror.fills(), []);
  const startedMs = clock.now();
  const { source } = await mirror.pullBlob(repository('team/a'), DIGEST, viewer());
  // The pause before the next try lasts until the clock moves.
  while ((mirror.fills()[0]?.bytes ?? 0) < 300_000) await clock.advance(0);
  const [fill, ...others] = mirror.fills();
  t.deepEqual(fill, {
    digest: DIGEST,
    repository: `${repository('team/a').upstream}/team/a`,
    ...{ size: LAYER.length, bytes: 300_000, startedMs },
  });
  t.deepEqual(others, []);
  await whileTimePasses(clock, readBody(source));
  await clock.advance(1);
  t.deepEqual(mirror.fills(), []);
});

test('close() suspends a running fill', async (t) => {
  const { mirror, upstream, store } = makeMirror();
  upstream.add(LAYER);
  upstream.respond = (_, start) => body(LAYER, start, { breaksAt: 300_000 });
  const { source } = await mirror.pullBlob(repository('a'), DIGEST, viewer());
  const reading = readBody(source);
  await mirror.close();
  t.truthy((await reading).error);
  const kept: number[] = [];
  for await (const { size } of store.partials()) kept.push(size);
  t.is(kept.length, 1);
});

test('pullBlob() never answers with an empty body that the digest does not name', async (t) => {
  const { mirror, upstream, clock, store } = makeMirror();
  upstream.add(LAYER);
  upstream.respond = () => body(new Uint8Array(), 0);
  const pulled = mirror.pullBlob(repository('a'), DIGEST, viewer());
  await t.throwsAsync(whileTimePasses(clock, pulled));
  t.is(await store.stat(DIGEST), undefined);
});

test('pullBlob() believes the digest, not the size that a manifest claims', async (t) => {
  const { mirror, upstream, clock, store, index } = makeMirror();
  upstream.add(LAYER);
  await store.put(DIGEST, LAYER);
  await index.putMembership('fake/a', DIGEST, { size: 1, shared: true });
  const { source, cache } = await mirror.pullBlob(repository('a'), DIGEST, viewer());
  t.is(cache, 'hit');
  t.true((await whileTimePasses(clock, readBody(source))).bytes.equals(LAYER));
  t.is(store.quarantined.length, 0);
});
