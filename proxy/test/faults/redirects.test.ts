// Redirected blobs and token servers: what is sent where.

import test from 'ava';
import { get } from '../http/client.ts';
import { startMirror } from '../http/mirror.ts';
import { seededBytes } from '../upstream-double/content.ts';
import { makeGate } from '../upstream-double/gate.ts';
import { startRegistry } from '../upstream-double/registry.ts';
import { checkAnswer, getWithMarks } from './outcome.ts';

/** Another host as far as names go: a second address of the loopback interface (RFC 1122 3.2.1.3). */
const OTHER_HOST = '127.0.0.2';
const SIZE = 1_000_000;
const BREAK = 300_000;
const AUTHORIZATION = {
  kind: 'bearer',
  users: { ann: { password: 'ann-secret' } },
} as const;
const UPSTREAM = { auth: { username: 'ann', password: 'ann-secret' } };

for (const [title, cdn] of [
  ['another port', true],
  ['another host', { address: OTHER_HOST }],
] as const) {
  test(`a blob redirected to ${title} is fetched there without Authorization`, async (t) => {
    const registry = { authorization: AUTHORIZATION, cdn };
    const mirror = await startMirror({ registry, upstream: UPSTREAM });
    t.teardown(() => mirror.stop());
    const blob = mirror.upstream.putBlob('private/app', seededBytes('cdn', SIZE));
    const url = mirror.url(`/v2/private/app/blobs/${blob.digest}`);
    t.true(checkAnswer(t, await get(url), blob));
    const { requests } = mirror.upstream;
    const there = requests.filter(({ role, method }) => role === 'cdn' && method === 'GET');
    t.is(there.length, 1);
    for (const { headers, role } of requests.filter((request) => request.role === 'cdn')) {
      t.is(headers.authorization, undefined, role);
      t.is(headers.cookie, undefined);
    }
    t.true(requests.some(({ headers }) => headers.authorization?.startsWith('Bearer ') === true));
  });
}

test('a redirected body that breaks is continued over a new redirect', async (t) => {
  const mirror = await startMirror({ registry: { cdn: { address: OTHER_HOST } } });
  t.teardown(() => mirror.stop());
  const blob = mirror.upstream.putBlob('broken/cdn', seededBytes('broken', SIZE));
  const gate = makeGate();
  mirror.upstream.faults.add({
    path: blob.digest,
    role: 'cdn',
    times: 1,
    fault: { kind: 'reset', after: BREAK, until: gate.opened },
  });
  const url = mirror.url(`/v2/broken/cdn/blobs/${blob.digest}`);
  const answer = await getWithMarks(url, [{ length: BREAK, reached: gate.open }]);
  t.true(checkAnswer(t, answer, blob));
  const there = mirror.upstream.requests.filter(
    ({ role, method }) => role === 'cdn' && method === 'GET',
  );
  t.is(there.length, 2);
  t.is(there[1]?.headers.range, `bytes=${BREAK}-`);
  t.is(mirror.upstream.count(blob.digest, 'GET'), 2);
});

for (const [title, fault] of [
  ['a page', { kind: 'html' }],
  ['403, as links that ran out', { kind: 'status', status: 403 }],
  ['a redirect loop', { kind: 'redirect-loop' }],
  ['wrong bytes', { kind: 'wrong-bytes' }],
] as const) {
  test(`${title} at the end of a redirect is never served nor kept`, async (t) => {
    const mirror = await startMirror({ registry: { cdn: true } });
    t.teardown(() => mirror.stop());
    const blob = mirror.upstream.putBlob('bad/cdn', seededBytes('bad', SIZE));
    const heal = mirror.upstream.faults.add({ path: blob.digest, role: 'cdn', fault });
    const url = mirror.url(`/v2/bad/cdn/blobs/${blob.digest}`);
    t.false(checkAnswer(t, await get(url), blob));
    heal();
    t.true(checkAnswer(t, await get(url), blob));
  });
}

test('a realm on another host gets neither request nor password', async (t) => {
  const thief = await startRegistry({ address: OTHER_HOST });
  const mirror = await startMirror({ upstream: UPSTREAM, spares: 1 });
  t.teardown(async () => {
    await mirror.stop();
    await thief.close();
  });
  mirror.upstream.putImage({ repository: 'stolen', tag: 'v1', seed: 'stolen' });
  const heal = mirror.upstream.faults.add({
    path: '/stolen/',
    fault: { kind: 'foreign-realm', realm: `${thief.url}/token` },
  });
  const url = mirror.url(`/v2/${mirror.spare()}/stolen/manifests/v1`);
  t.true((await get(url)).status >= 400);
  t.is(thief.requests.length, 0);
  heal();
  t.is((await get(url)).status, 200);
});

test('a redirect of a manifest or a token carries no password to another host', async (t) => {
  const other = await startRegistry({ address: OTHER_HOST });
  const mirror = await startMirror({
    registry: { authorization: AUTHORIZATION },
    upstream: UPSTREAM,
    spares: 2,
  });
  t.teardown(async () => {
    await mirror.stop();
    await other.close();
  });
  mirror.upstream.putImage({ repository: 'moved', tag: 'v1', seed: 'moved' });
  for (const path of ['/moved/', '/token']) {
    const location = `${other.url}/v2/moved/manifests/v1`;
    const heal = mirror.upstream.faults.add({ path, fault: { kind: 'redirect', location } });
    await get(mirror.url(`/v2/${mirror.spare()}/moved/manifests/v1`));
    heal();
  }
  for (const { headers, path } of other.requests) {
    t.is(headers.authorization, undefined, path);
    t.false(path.includes('ann-secret'));
  }
});
