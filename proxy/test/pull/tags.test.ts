import test from 'ava';
import type { UpstreamErrorKind } from '../../src/upstream/upstream.ts';
import {
  imageManifest,
  makeMirror,
  NEGATIVE_TTL_MS,
  reference,
  repository,
  STALE_MS,
  TTL_MS,
  viewer,
} from './mirror-under-test.ts';

const REPOSITORY = repository('team/app');
const LATEST = reference('latest');

function makeTagged(): ReturnType<typeof makeMirror> & { readonly digest: string } {
  const under = makeMirror();
  const config = under.upstream.add(new TextEncoder().encode('{}'));
  const digest = under.upstream.push('latest', imageManifest(config, [config], 2));
  return { ...under, digest };
}

test('pullManifest() asks for a tag once, then serves it while it is fresh', async (t) => {
  const { mirror, upstream, clock, digest } = makeTagged();
  const first = await mirror.pullManifest(REPOSITORY, LATEST, viewer());
  t.is(first.digest, digest as typeof first.digest);
  t.is(first.cache, 'miss');
  await clock.advance(TTL_MS - 1);
  t.is((await mirror.pullManifest(REPOSITORY, LATEST, viewer())).cache, 'hit');
  t.deepEqual(
    upstream.asked.map(({ what }) => what),
    ['head-manifest', 'get-manifest'],
  );
});

test('pullManifest() revalidates by HEAD, and fetches only what changed', async (t) => {
  const { mirror, upstream, clock } = makeTagged();
  await mirror.pullManifest(REPOSITORY, LATEST, viewer());
  await clock.advance(TTL_MS);
  t.is((await mirror.pullManifest(REPOSITORY, LATEST, viewer())).cache, 'revalidated');
  t.is((await mirror.pullManifest(REPOSITORY, LATEST, viewer())).cache, 'hit');
  t.is(upstream.count('get-manifest'), 1);
  t.is(upstream.count('head-manifest'), 2);
  const moved = upstream.push('latest', imageManifest(upstream.add(new Uint8Array([1])), [], 1));
  await clock.advance(TTL_MS);
  t.is((await mirror.pullManifest(REPOSITORY, LATEST, viewer())).digest, moved);
});

test('pullManifest() asks once for many who revalidate at the same time', async (t) => {
  const { mirror, upstream, clock } = makeTagged();
  await mirror.pullManifest(REPOSITORY, LATEST, viewer());
  await clock.advance(TTL_MS);
  const pulls = Array.from({ length: 20 }, () => mirror.pullManifest(REPOSITORY, LATEST, viewer()));
  await Promise.all(pulls);
  t.is(upstream.count('head-manifest'), 2);
});

for (const kind of ['transport', 'unavailable', 'rate-limited', 'invalid'] as const) {
  test(`pullManifest() serves a stale tag on ${kind}, as long as it may be stale`, async (t) => {
    const { mirror, upstream, clock } = makeTagged();
    await mirror.pullManifest(REPOSITORY, LATEST, viewer());
    upstream.failure = kind;
    await clock.advance(TTL_MS + STALE_MS);
    t.is((await mirror.pullManifest(REPOSITORY, LATEST, viewer())).cache, 'stale');
    await clock.advance(1);
    await t.throwsAsync(mirror.pullManifest(REPOSITORY, LATEST, viewer()));
  });
}

for (const kind of ['unauthorized', 'denied', 'refused', 'not-found'] as UpstreamErrorKind[]) {
  test(`pullManifest() passes ${kind} on instead of a stale tag`, async (t) => {
    const { mirror, upstream, clock } = makeTagged();
    await mirror.pullManifest(REPOSITORY, LATEST, viewer());
    upstream.failure = kind;
    await clock.advance(TTL_MS);
    await t.throwsAsync(mirror.pullManifest(REPOSITORY, LATEST, viewer()), {
      message: new RegExp(kind),
    });
  });
}

test('pullManifest() forgets a tag that is gone, and that it is absent for a while', async (t) => {
  const { mirror, upstream, clock } = makeTagged();
  await mirror.pullManifest(REPOSITORY, LATEST, viewer());
  upstream.failure = 'not-found';
  await clock.advance(TTL_MS);
  await t.throwsAsync(mirror.pullManifest(REPOSITORY, LATEST, viewer()));
  upstream.failure = 'transport';
  await t.throwsAsync(mirror.pullManifest(REPOSITORY, LATEST, viewer()), { message: /not-found/ });
  await clock.advance(NEGATIVE_TTL_MS + 1);
  await t.throwsAsync(mirror.pullManifest(REPOSITORY, LATEST, viewer()), { message: /transport/ });
  upstream.failure = undefined;
  t.is((await mirror.pullManifest(REPOSITORY, LATEST, viewer())).cache, 'revalidated');
});

test('pullManifest() does not fetch what another tag has brought', async (t) => {
  const { mirror, upstream, digest } = makeTagged();
  await mirror.pullManifest(REPOSITORY, LATEST, viewer());
  const tagged = upstream.tags.get('latest');
  if (tagged !== undefined) upstream.tags.set('v1', tagged);
  const answer = await mirror.pullManifest(REPOSITORY, reference('v1'), viewer());
  t.is(answer.digest, digest as typeof answer.digest);
  t.is(upstream.count('get-manifest'), 1);
});

test('pullManifest() serves a stale tag when the upstream sends no manifest', async (t) => {
  const { mirror, upstream, clock, digest } = makeTagged();
  await mirror.pullManifest(REPOSITORY, LATEST, viewer());
  upstream.tags.set('latest', upstream.add(new TextEncoder().encode('<html>')));
  await clock.advance(TTL_MS);
  const answer = await mirror.pullManifest(REPOSITORY, LATEST, viewer());
  t.is(answer.digest, digest as typeof answer.digest);
  t.is(answer.cache, 'stale');
});

test('pullManifest() refuses bytes of another digest than the upstream says', async (t) => {
  const { mirror, upstream, index } = makeTagged();
  const bytes = new TextEncoder().encode('{"schemaVersion":2}');
  upstream.blobs.set(upstream.tags.get('latest') ?? '', bytes);
  const digest = upstream.tags.get('latest');
  if (digest === undefined) throw new Error('no tag');
  await t.throwsAsync(mirror.pullManifest(REPOSITORY, reference(digest), viewer()), {
    message: /sent a manifest of digest/,
  });
  t.is(await index.getManifest(digest), undefined);
});

test('pullManifest() serves a manifest that the disk does not take', async (t) => {
  const { mirror, space, digest, index } = makeTagged();
  space.isRoomy = false;
  const answer = await mirror.pullManifest(REPOSITORY, LATEST, viewer());
  t.is(answer.digest, digest as typeof answer.digest);
  t.is(await index.getManifest(answer.digest), undefined);
  t.is(space.promised, 0);
});

test('listTags() serves a kept page, and what is known when there is none', async (t) => {
  const { mirror, upstream, clock } = makeTagged();
  await mirror.pullManifest(REPOSITORY, LATEST, viewer());
  t.is((await mirror.listTags(REPOSITORY, new URLSearchParams(), viewer())).cache, 'miss');
  t.is((await mirror.listTags(REPOSITORY, new URLSearchParams(), viewer())).cache, 'hit');
  upstream.failure = 'transport';
  await clock.advance(TTL_MS);
  t.is((await mirror.listTags(REPOSITORY, new URLSearchParams(), viewer())).cache, 'stale');
  const unkept = await mirror.listTags(REPOSITORY, new URLSearchParams('n=1'), viewer());
  t.deepEqual(JSON.parse(new TextDecoder().decode(unkept.bytes)), {
    name: 'team/app',
    tags: ['latest'],
  });
});
