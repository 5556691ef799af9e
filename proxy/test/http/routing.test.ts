// Which upstream a request is for, and what is refused before anything is contacted.

import test from 'ava';
import { request } from 'undici';
import { startRegistry } from '../upstream-double/registry.ts';
import { collect, errorCode, get, head, type Received } from './client.ts';
import { startMirror, UPSTREAM } from './mirror.ts';

const second = await startRegistry();
const hub = await startRegistry();
const mirror = await startMirror({
  upstreams: {
    'second.test': { url: second.url, hosts: ['second.mirror.test'] },
    'ported.test:5000': { url: second.url },
    'docker.io': { url: hub.url },
  },
});
test.after.always(() => mirror.stop());
test.after.always(() => second.close());
test.after.always(() => hub.close());

/** A GET of a path as it is, with a Host header. */
async function getAs(host: string, path: string): Promise<Received> {
  return await collect(await request(mirror.url(path), { headers: { host } }));
}

const FIRST = mirror.upstream.putImage({ repository: 'who/am-i', tag: 'v1', seed: 'first' })
  .manifest.digest;
const SECOND = second.putImage({ repository: 'who/am-i', tag: 'v1', seed: 'second' }).manifest
  .digest;

for (const [title, path, host, isSecond] of [
  ['no name', '/v2/who/am-i/manifests/v1', undefined, false],
  ['the first path component', '/v2/second.test/who/am-i/manifests/v1', undefined, true],
  ['a component with port', '/v2/ported.test:5000/who/am-i/manifests/v1', undefined, true],
  ['ns', '/v2/who/am-i/manifests/v1?ns=second.test', undefined, true],
  ['ns with port', '/v2/who/am-i/manifests/v1?ns=ported.test:5000', undefined, true],
  ['Host', '/v2/who/am-i/manifests/v1', 'second.mirror.test', true],
  ['Host with port', '/v2/who/am-i/manifests/v1', 'second.mirror.test:5000', true],
  ['ns before Host', `/v2/who/am-i/manifests/v1?ns=${UPSTREAM}`, 'second.mirror.test', false],
  ['prefix before Host', `/v2/${UPSTREAM}/who/am-i/manifests/v1`, 'second.mirror.test', false],
  ['an unknown Host', '/v2/who/am-i/manifests/v1', 'elsewhere.test', false],
] as const) {
  test(`the upstream is chosen by ${title}`, async (t) => {
    const answer = host === undefined ? await get(mirror.url(path)) : await getAs(host, path);
    t.is(answer.status, 200);
    t.is(answer.headers['docker-content-digest'], isSecond ? SECOND : FIRST);
  });
}

test('OCI-Namespace echoes ns', async (t) => {
  for (const ns of ['second.test', UPSTREAM]) {
    for (const path of [
      'manifests/v1',
      `manifests/${ns === UPSTREAM ? FIRST : SECOND}`,
      'tags/list',
    ])
      t.is(
        (await get(mirror.url(`/v2/who/am-i/${path}?ns=${ns}`))).headers['oci-namespace'],
        ns,
        path,
      );
  }
  t.is((await get(mirror.url('/v2/?ns=second.test'))).status, 200);
});

test('an unknown ns is NAME_UNKNOWN with nothing contacted', async (t) => {
  for (const ns of [
    'evil.test',
    '127.0.0.1',
    'localhost:1',
    'second.test.evil',
    'SECOND.test%00',
    '..',
  ]) {
    for (const kind of ['manifests/v9', `blobs/sha256:${'0'.repeat(64)}`, 'tags/list']) {
      const answer = await get(mirror.url(`/v2/unknown-ns/x/${kind}?ns=${ns}`));
      t.is(answer.status, 404, ns);
      t.is(errorCode(answer), 'NAME_UNKNOWN', ns);
    }
  }
  for (const registry of [mirror.upstream, second, hub]) t.is(registry.count('unknown-ns'), 0);
});

test('ns given twice or empty contacts no upstream that was not named', async (t) => {
  const answer = await get(mirror.url('/v2/twice/x/manifests/v1?ns=second.test&ns=evil.test'));
  t.true(answer.status === 400 || answer.status === 404);
  t.is(mirror.upstream.count('/twice/'), 0);
});

test('library/ is added to docker.io names of one component only', async (t) => {
  const image = hub.putImage({ repository: 'library/tool', tag: 'v1', seed: 'tool' });
  const user = hub.putImage({ repository: 'user/tool', tag: 'v1', seed: 'user' });
  mirror.upstream.putImage({ repository: 'tool', tag: 'v1', seed: 'plain' });
  for (const path of [
    '/v2/tool/manifests/v1?ns=docker.io',
    '/v2/library/tool/manifests/v1?ns=docker.io',
    '/v2/docker.io/tool/manifests/v1',
    '/v2/docker.io/library/tool/manifests/v1',
  ])
    t.is((await get(mirror.url(path))).headers['docker-content-digest'], image.manifest.digest);
  const other = await get(mirror.url('/v2/docker.io/user/tool/manifests/v1'));
  t.is(other.headers['docker-content-digest'], user.manifest.digest);
  t.is((await get(mirror.url('/v2/tool/manifests/v1'))).status, 200);
  t.is(mirror.upstream.count('library/'), 0);
  t.is(hub.count('/v2/tool/'), 0);
});

test('pushes and deletes are 405 UNSUPPORTED with nothing contacted', async (t) => {
  const digest = `sha256:${'0'.repeat(64)}`;
  for (const [method, path] of [
    ['POST', '/v2/pushed/x/blobs/uploads/'],
    ['POST', `/v2/pushed/x/blobs/uploads/?digest=${digest}`],
    ['PUT', '/v2/pushed/x/manifests/v1'],
    ['PATCH', '/v2/pushed/x/blobs/uploads/1'],
    ['PUT', `/v2/pushed/x/blobs/uploads/1?digest=${digest}`],
    ['DELETE', `/v2/pushed/x/manifests/${digest}`],
    ['DELETE', `/v2/pushed/x/blobs/${digest}`],
  ] as const) {
    const answer = await collect(
      await request(mirror.url(path), { method, ...(method === 'DELETE' ? {} : { body: 'data' }) }),
    );
    t.is(answer.status, 405, `${method} ${path}`);
    t.is(errorCode(answer), 'UNSUPPORTED', `${method} ${path}`);
  }
  t.is(mirror.upstream.count('pushed'), 0);
});

test('a Host that is no host of a URL is NAME_INVALID', async (t) => {
  const answer = await get(mirror.url('/v2/a/manifests/x'), { host: 'mirror.0' });
  t.is(answer.status, 400);
});

test('malformed names are NAME_INVALID with nothing contacted', async (t) => {
  for (const name of [
    'Upper/case',
    'a//b',
    '-a/b',
    'a/b-',
    'a/.b',
    'a_-b/c',
    'a'.repeat(300),
    'a%2e%2e/b',
    'a/%2e%2e%2fb',
  ]) {
    for (const kind of ['manifests/v1', `blobs/sha256:${'0'.repeat(64)}`, 'tags/list']) {
      const answer = await get(mirror.url(`/v2/${name}/malformed/${kind}`));
      t.true(answer.status === 400 || answer.status === 404, `${name}: ${answer.status}`);
      t.regex(errorCode(answer), /^NAME_(INVALID|UNKNOWN)$/, name);
    }
  }
  t.is(mirror.upstream.count('malformed'), 0);
});

test('paths outside the specification are refused in its error form', async (t) => {
  for (const path of [
    '/',
    '/v1/',
    '/v2',
    '/v2/x',
    '/v2/x/y/z',
    '/v2/_catalog',
    '/v2/x/manifests/',
    '/v2/x/blobs/',
  ]) {
    const answer = await get(mirror.url(path));
    if (path === '/v2' && answer.status < 400) continue;
    t.true(answer.status >= 400 && answer.status < 500, `${path}: ${answer.status}`);
    t.notThrows(() => errorCode(answer), path);
  }
});

test('no answer on the mirror path carries a challenge', async (t) => {
  for (const path of ['/v2/', '/v2/who/am-i/manifests/v1', '/v2/who/none/manifests/v1'])
    for (const ask of [get, head])
      t.is((await ask(mirror.url(path))).headers['www-authenticate'], undefined, path);
});

test('a 401 of an upstream whose credentials are not passed through is no challenge to the client', async (t) => {
  mirror.upstream.faults.add({ path: '/locked/', fault: { kind: 'status', status: 401 } });
  const answer = await get(mirror.url('/v2/locked/manifests/v1'));
  t.true([401, 403, 404].includes(answer.status), String(answer.status));
  t.is(answer.headers['www-authenticate'], undefined);
  t.notThrows(() => errorCode(answer));
});
