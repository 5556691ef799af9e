// How long a tag is believed, and what is served when the upstream does not answer as it should.

import test from 'ava';
import { digestBytes } from '../upstream-double/content.ts';
import type { Fault } from '../upstream-double/fault.ts';
import { makeGate } from '../upstream-double/gate.ts';
import { errorCode, get, head } from './client.ts';
import { startMirror } from './mirror.ts';

const LONG = '10m';
const NONE = '1ms';

/** Believes what it knows. */
const fresh = await startMirror({ config: { tags: { ttl: LONG, negativeTtl: LONG } } });
/** Asks the upstream every time, and serves what it knows when that fails. */
const asking = await startMirror({
  spares: 24,
  config: { tags: { ttl: NONE, negativeTtl: NONE } },
});
/** Asks every time, and knows nothing for longer than that. */
const strict = await startMirror({
  spares: 8,
  config: { tags: { ttl: NONE, negativeTtl: NONE, staleIfError: NONE } },
});
for (const mirror of [fresh, asking, strict]) test.after.always(() => mirror.stop());

test('a fresh tag is served without asking the upstream', async (t) => {
  fresh.upstream.putImage({ repository: 'fresh', tag: 'v1', seed: 'one' });
  const url = fresh.url('/v2/fresh/manifests/v1');
  const first = await get(url);
  const asked = fresh.upstream.count('/fresh/');
  fresh.upstream.putImage({ repository: 'fresh', tag: 'v1', seed: 'two' });
  for (const ask of [get, head, get])
    t.is((await ask(url)).headers['docker-content-digest'], first.headers['docker-content-digest']);
  t.is(fresh.upstream.count('/fresh/'), asked);
});

test('a tag that is not there is not asked for again at once', async (t) => {
  fresh.upstream.putImage({ repository: 'absent', tag: 'v1', seed: 'absent' });
  const url = fresh.url('/v2/absent/manifests/v2');
  t.is((await get(url)).status, 404);
  const asked = fresh.upstream.count('/absent/');
  for (const ask of [get, head, get]) t.is((await ask(url)).status, 404);
  t.is(fresh.upstream.count('/absent/'), asked);
});

test('a tag that was not there is found once the negative answer is too old', async (t) => {
  asking.upstream.putImage({ repository: 'late', tag: 'v1', seed: 'late' });
  const url = asking.url('/v2/late/manifests/v2');
  t.is((await get(url)).status, 404);
  const { manifest } = asking.upstream.putImage({ repository: 'late', tag: 'v2', seed: 'new' });
  t.is((await get(url)).headers['docker-content-digest'], manifest.digest);
});

test('a tag that is no longer fresh is revalidated by HEAD', async (t) => {
  asking.upstream.putImage({ repository: 'head', tag: 'v1', seed: 'head' });
  const url = asking.url('/v2/head/manifests/v1');
  for (let count = 0; count < 3; count += 1) t.is((await get(url)).status, 200);
  t.is(asking.upstream.count('/head/', 'GET'), 1);
  t.true(asking.upstream.count('/head/', 'HEAD') >= 2);
});

test('a tag that moved is served with its new content', async (t) => {
  asking.upstream.putImage({ repository: 'moved', tag: 'v1', seed: 'one' });
  const url = asking.url('/v2/moved/manifests/v1');
  await get(url);
  const { manifest } = asking.upstream.putImage({ repository: 'moved', tag: 'v1', seed: 'two' });
  for (const ask of [head, get, head])
    t.is((await ask(url)).headers['docker-content-digest'], manifest.digest);
});

test('a tag that moved is noticed where HEAD tells no digest', async (t) => {
  asking.upstream.faults.add({ path: '/mute/', fault: { kind: 'no-digest' } });
  asking.upstream.putImage({ repository: 'mute', tag: 'v1', seed: 'one' });
  const url = asking.url('/v2/mute/manifests/v1');
  await get(url);
  const { manifest } = asking.upstream.putImage({ repository: 'mute', tag: 'v1', seed: 'two' });
  t.is(digestBytes((await get(url)).body), manifest.digest);
});

const STALE: readonly (readonly [title: string, fault: Fault])[] = [
  ['a reset', { kind: 'reset', after: 0 }],
  ['500', { kind: 'status', status: 500 }],
  ['502', { kind: 'status', status: 502 }],
  ['503', { kind: 'status', status: 503 }],
  ['503 with a long Retry-After', { kind: 'status', status: 503, retryAfterSeconds: 600 }],
  ['504', { kind: 'status', status: 504 }],
  ['429', { kind: 'status', status: 429 }],
  ['429 with a long Retry-After', { kind: 'status', status: 429, retryAfterSeconds: 600 }],
];

for (const [title, fault] of STALE) {
  const repository = `stale/${digestBytes(Buffer.from(title)).slice(7, 19)}`;

  test(`a known tag is served stale with a Warning after ${title}`, async (t) => {
    const { manifest } = asking.upstream.putImage({ repository, tag: 'v1', seed: title });
    const url = asking.url(`/v2/${asking.spare()}/${repository}/manifests/v1`);
    t.is((await get(url)).headers['warning'], undefined);
    asking.upstream.faults.add({ path: `/${repository}/`, fault });
    for (const ask of [get, head]) {
      const answer = await ask(url);
      t.is(answer.status, 200);
      t.is(answer.headers['docker-content-digest'], manifest.digest);
      t.regex(String(answer.headers['warning']), /^299 - "[^"]{1,4000}"$/);
    }
  });

  test(`an unknown tag is an error of the specification after ${title}`, async (t) => {
    const unknown = repository.replace('stale', 'unknown');
    asking.upstream.putImage({ repository: unknown, tag: 'v1', seed: title });
    const url = asking.url(`/v2/${asking.spare()}/${unknown}/manifests/v1`);
    asking.upstream.faults.add({ path: `/${unknown}/`, fault });
    const answer = await get(url);
    t.is(answer.status === 429, title.startsWith('429'), String(answer.status));
    t.true(answer.status === 429 || answer.status >= 500, String(answer.status));
    t.is(typeof errorCode(answer), 'string');
    if (title === '429 with a long Retry-After') {
      t.is(errorCode(answer), 'TOOMANYREQUESTS');
      const seconds = Number(answer.headers['retry-after']);
      t.true(seconds > 500 && seconds <= 600, String(seconds));
    }
  });
}

test('nothing is served stale once it is older than staleIfError', async (t) => {
  strict.upstream.putImage({ repository: 'too-old', tag: 'v1', seed: 'too-old' });
  const url = strict.url(`/v2/${strict.spare()}/too-old/manifests/v1`);
  t.is((await get(url)).status, 200);
  strict.upstream.faults.add({ path: '/too-old/', fault: { kind: 'status', status: 503 } });
  const answer = await get(url);
  t.true(answer.status >= 500);
  t.is(typeof errorCode(answer), 'string');
});

test('a tag that the upstream no longer has is gone, also when the upstream then fails', async (t) => {
  const { manifest } = asking.upstream.putImage({ repository: 'gone', tag: 'v1', seed: 'gone' });
  const base = `/v2/${asking.spare()}/gone/manifests`;
  t.is((await get(asking.url(`${base}/v1`))).status, 200);
  asking.upstream.untag('gone', 'v1');
  const answer = await get(asking.url(`${base}/v1`));
  t.is(answer.status, 404);
  t.is(errorCode(answer), 'MANIFEST_UNKNOWN');
  asking.upstream.faults.add({ path: '/gone/', fault: { kind: 'reset', after: 0 } });
  t.not((await get(asking.url(`${base}/v1`))).status, 200);
  t.is((await get(asking.url(`${base}/${manifest.digest}`))).status, 200);
});

test('twenty clients that ask for a stale tag cost one revalidation', async (t) => {
  asking.upstream.putImage({ repository: 'flight', tag: 'v1', seed: 'flight' });
  const url = asking.url('/v2/flight/manifests/v1');
  await get(url);
  const asked = asking.upstream.count('/flight/');
  const gate = makeGate();
  asking.upstream.faults.add({
    path: '/flight/',
    fault: { kind: 'hold', after: 'headers', until: gate.opened },
  });
  const answers = Array.from({ length: 20 }, () => get(url));
  await asking.upstream.waitUntil(() => asking.upstream.count('/flight/') > asked);
  // An answer to a later request: those before it have been read by now.
  await Promise.all(Array.from({ length: 20 }, () => get(asking.url('/v2/'))));
  gate.open();
  for (const answer of await Promise.all(answers)) t.is(answer.status, 200);
  t.is(asking.upstream.count('/flight/'), asked + 1);
});
