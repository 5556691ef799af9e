import test from 'ava';
import {
  GRANT_MS,
  imageManifest,
  makeMirror,
  patternBytes,
  readBody,
  reference,
  repository,
  TTL_MS,
  viewer,
} from './mirror-under-test.ts';

const PRIVATE = repository('secret/app');
const OTHER = repository('public/app');
const LATEST = reference('latest');
const LAYER = patternBytes(300_000);

function makePrivate() {
  const under = makeMirror();
  under.upstream.passThrough = true;
  under.upstream.allowed = new Set(['alice', 'carol']);
  const layer = under.upstream.add(LAYER);
  const manifest = under.upstream.push('latest', imageManifest(layer, [layer], LAYER.length));
  return { ...under, layer, manifest };
}

/** Alice pulls the image whole. */
async function pullAsAlice(under: ReturnType<typeof makePrivate>): Promise<void> {
  await under.mirror.pullManifest(PRIVATE, LATEST, viewer('alice'));
  const { source } = await under.mirror.pullBlob(PRIVATE, under.layer, viewer('alice'));
  const reading = readBody(source);
  await under.clock.advance(100);
  await reading;
  under.upstream.asked.length = 0;
}

test('what came with credentials is served to them without asking, while the grant holds', async (t) => {
  const under = makePrivate();
  await pullAsAlice(under);
  const { mirror, upstream, layer, manifest, clock } = under;
  await clock.advance(TTL_MS - 1000);
  await mirror.pullManifest(PRIVATE, LATEST, viewer('alice'));
  await mirror.pullManifest(PRIVATE, reference(manifest), viewer('alice'));
  (await mirror.pullBlob(PRIVATE, layer, viewer('alice'))).source.close();
  t.is(upstream.asked.length, 0);
  await clock.advance(GRANT_MS);
  (await mirror.pullBlob(PRIVATE, layer, viewer('alice'))).source.close();
  t.is(upstream.count('head-blob'), 1);
});

for (const name of [undefined, 'bob']) {
  test(`what came with credentials is hidden from ${name ?? 'who has none'}`, async (t) => {
    const under = makePrivate();
    await pullAsAlice(under);
    const { mirror, layer, manifest } = under;
    const refusal = { message: /unauthorized/ };
    const other = viewer(name);
    await t.throwsAsync(mirror.pullManifest(PRIVATE, LATEST, other), refusal);
    await t.throwsAsync(mirror.pullManifest(PRIVATE, reference(manifest), other), refusal);
    await t.throwsAsync(mirror.pullBlob(PRIVATE, layer, other), refusal);
    await t.throwsAsync(mirror.statBlob(PRIVATE, layer, other), refusal);
    await t.throwsAsync(mirror.pullBlob(OTHER, layer, other), refusal);
  });
}

test('what came with credentials is served to others whom the upstream accepts', async (t) => {
  const under = makePrivate();
  await pullAsAlice(under);
  const { mirror, upstream, layer } = under;
  const { source, cache } = await mirror.pullBlob(PRIVATE, layer, viewer('carol'));
  source.close();
  t.is(cache, 'hit');
  t.is(upstream.count('open-blob'), 0);
  t.is(upstream.count('head-blob'), 1);
});

test('a grant does not outlive the upstream by going stale', async (t) => {
  const under = makePrivate();
  await pullAsAlice(under);
  const { mirror, upstream, clock } = under;
  upstream.failure = 'transport';
  await clock.advance(GRANT_MS);
  await t.throwsAsync(mirror.pullManifest(PRIVATE, LATEST, viewer('alice')));
});

test('a 404 for who may not know does not take the tag from who may', async (t) => {
  const under = makePrivate();
  await pullAsAlice(under);
  const { mirror, upstream } = under;
  upstream.failure = 'not-found';
  await t.throwsAsync(mirror.pullManifest(PRIVATE, LATEST, viewer()));
  t.is((await mirror.pullManifest(PRIVATE, LATEST, viewer('alice'))).cache, 'hit');
});

test('who joins a running fill of another is asked for first', async (t) => {
  const under = makePrivate();
  const { mirror, layer, clock } = under;
  const first = mirror.pullBlob(PRIVATE, layer, viewer('alice'));
  await t.throwsAsync(mirror.pullBlob(PRIVATE, layer, viewer('bob')), { message: /unauthorized/ });
  const reading = first.then(({ source }) => readBody(source));
  await clock.advance(100);
  t.true((await reading).bytes.equals(LAYER));
});

test('credentials are of no account where the upstream does not take them', async (t) => {
  const under = makePrivate();
  const { mirror, upstream } = under;
  upstream.passThrough = false;
  upstream.allowed = undefined;
  await mirror.pullManifest(PRIVATE, LATEST, viewer('alice'));
  t.is(upstream.asked[0]?.username, undefined);
  t.is((await mirror.pullManifest(PRIVATE, LATEST, viewer())).cache, 'hit');
});

test('a shared blob of one repository is served in another only on the upstream’s word', async (t) => {
  const under = makePrivate();
  const { mirror, upstream, layer } = under;
  upstream.allowed = undefined;
  await pullAsAlice(under);
  (await mirror.pullBlob(OTHER, layer, viewer())).source.close();
  (await mirror.pullBlob(OTHER, layer, viewer())).source.close();
  t.is(upstream.count('head-blob'), 1);
});
