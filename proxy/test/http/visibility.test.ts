// Content fetched with a client's own credentials: visible to whom the upstream accepts, to nobody else.

import test from 'ava';
import { digestBytes } from '../upstream-double/content.ts';
import type { RegistryOptions } from '../upstream-double/contract.ts';
import { basic, errorCode, get, type Headers, head } from './client.ts';
import { startMirror } from './mirror.ts';

const REGISTRY: RegistryOptions = {
  authorization: {
    kind: 'bearer',
    tokenServer: 'other',
    // What Docker Hub answers to a token without the scope.
    deniedStatus: 401,
    anonymous: ['open/app'],
    users: {
      ann: { password: 'ann-secret', repositories: ['private/app', 'private/other'] },
      bob: { password: 'bob-secret', repositories: ['private/app'] },
      cat: { password: 'cat-secret', repositories: [] },
    },
  },
};
const ANN = basic('ann', 'ann-secret');
const BOB = basic('bob', 'bob-secret');
const CAT = basic('cat', 'cat-secret');
const WRONG = basic('ann', 'guess');

const mirror = await startMirror({ registry: REGISTRY, upstream: { passThrough: true } });
/** Asks the upstream again each time. */
const asking = await startMirror({
  registry: REGISTRY,
  upstream: { passThrough: true },
  config: { access: { grantTtl: '1ms' }, tags: { ttl: '1ms' } },
});
for (const one of [mirror, asking]) test.after.always(() => one.stop());

const image = mirror.upstream.putImage({
  repository: 'private/app',
  tag: 'v1',
  seed: 'private',
  layers: [50_000],
});
const layer = image.layers[0] ?? image.config;
const PATHS = [
  'manifests/v1',
  `manifests/${image.manifest.digest}`,
  `blobs/${image.config.digest}`,
  `blobs/${layer.digest}`,
];

async function pull(repository: string, headers: Headers): Promise<number[]> {
  const statuses: number[] = [];
  for (const path of PATHS)
    statuses.push((await get(mirror.url(`/v2/${repository}/${path}`), headers)).status);
  return statuses;
}

test.serial('a client with credentials pulls what the upstream shows to them', async (t) => {
  t.deepEqual(await pull('private/app', ANN), [200, 200, 200, 200]);
  const answer = await get(mirror.url(`/v2/private/app/blobs/${layer.digest}`), ANN);
  t.is(digestBytes(answer.body), layer.digest);
});

test.serial('a client without credentials is refused all of it, and asked for some', async (t) => {
  for (const path of [...PATHS, 'tags/list', `referrers/${image.manifest.digest}`]) {
    const url = mirror.url(`/v2/private/app/${path}`);
    const answer = await get(url);
    t.true([401, 403, 404].includes(answer.status), `${path}: ${answer.status}`);
    t.regex(errorCode(answer), /^(UNAUTHORIZED|DENIED|NAME_UNKNOWN|BLOB_UNKNOWN)$/, path);
    t.is((await head(url)).status, answer.status, path);
  }
  const answer = await get(mirror.url('/v2/private/app/manifests/v1'));
  t.is(answer.status, 401);
  t.regex(String(answer.headers['www-authenticate']), /^Basic realm="/);
});

test.serial(
  'a client with other credentials that the upstream accepts sees it, fetched once',
  async (t) => {
    t.deepEqual(await pull('private/app', BOB), [200, 200, 200, 200]);
    t.is(mirror.upstream.count(layer.digest, 'GET'), countedGets());
  },
);

/** GETs of the layer that sent its bytes; those that were refused cost nothing. */
function countedGets(): number {
  const gets = mirror.upstream.requests.filter(
    ({ path, method }) => path.includes(layer.digest) && method === 'GET',
  );
  const sent = gets.filter(({ status }) => status === 200).length;
  return sent === 1 ? gets.length : Number.NaN;
}

test.serial('credentials that the upstream does not accept see nothing', async (t) => {
  for (const headers of [CAT, WRONG, basic('dan', 'x'), { authorization: 'Bearer made-up' }])
    for (const status of await pull('private/app', headers))
      t.true([400, 401, 403, 404].includes(status), String(status));
});

test.serial(
  'a repository that a client may not see does not lend its blobs to another',
  async (t) => {
    const secret = mirror.upstream.putImage({
      repository: 'private/other',
      tag: 'v1',
      seed: 'other',
      layers: [9000],
    });
    const digest = secret.layers[0]?.digest ?? '';
    t.is((await get(mirror.url(`/v2/private/other/blobs/${digest}`), ANN)).status, 200);
    for (const [repository, headers] of [
      ['private/other', BOB],
      ['private/app', BOB],
      ['open/app', {}],
      ['private/other', {}],
    ] as const) {
      const url = mirror.url(`/v2/${repository}/blobs/${digest}`);
      t.true([401, 403, 404].includes((await get(url, headers)).status), repository);
      t.true([401, 403, 404].includes((await head(url, headers)).status), repository);
    }
  },
);

test.serial('a public repository of such an upstream needs no credentials', async (t) => {
  const open = mirror.upstream.putImage({ repository: 'open/app', tag: 'v1', seed: 'open' });
  for (const path of ['manifests/v1', `blobs/${open.config.digest}`, 'tags/list'])
    t.is((await get(mirror.url(`/v2/open/app/${path}`))).status, 200, path);
});

test.serial('a cached tag list of a private repository stays private', async (t) => {
  const url = mirror.url('/v2/private/app/tags/list');
  t.is((await get(url, ANN)).status, 200);
  t.true([401, 403, 404].includes((await get(url)).status));
  t.true([401, 403, 404].includes((await get(url, CAT)).status));
});

test.serial('no credential and no token is ever logged', (t) => {
  const text =
    mirror.mica
      .log()
      .map((line) => JSON.stringify(line))
      .join('\n') + mirror.mica.output();
  const basics = [ANN, BOB, CAT].map(({ authorization = '' }) => authorization.slice(6));
  for (const secret of ['ann-secret', 'bob-secret', 'cat-secret', 'token-', ...basics])
    t.false(text.includes(secret), secret);
});

test('credentials that are refused from now on see nothing, and never stale', async (t) => {
  const { authorization } = asking.upstream;
  asking.upstream.putImage({ repository: 'private/app', tag: 'v1', seed: 'p', layers: [5000] });
  const url = asking.url('/v2/private/app/manifests/v1');
  t.is((await get(url, ANN)).status, 200);
  authorization?.setRevoked('ann', true);
  authorization?.revokeTokens();
  for (const path of ['manifests/v1', 'tags/list']) {
    const answer = await get(asking.url(`/v2/private/app/${path}`), ANN);
    t.true([401, 403].includes(answer.status), `${path}: ${answer.status}`);
    t.is(answer.headers['warning'], undefined);
  }
  t.is((await get(url, BOB)).status, 200);
});

test('an upstream with configured credentials needs none of the client', async (t) => {
  const configured = await startMirror({
    registry: REGISTRY,
    upstream: { auth: { username: 'ann', password: 'ann-secret' } },
    config: { tags: { ttl: '1ms' } },
  });
  t.teardown(() => configured.stop());
  configured.upstream.putImage({ repository: 'private/app', tag: 'v1', seed: 'p' });
  const url = configured.url('/v2/private/app/manifests/v1');
  t.is((await get(url)).status, 200);
  t.is((await get(url, WRONG)).status, 200);
  t.is((await get(configured.url('/v2/private/app/tags/list'))).status, 200);
  const tokens = configured.upstream.requests.filter(({ role }) => role === 'token').length;
  t.true(tokens <= 2, `${tokens} token requests`);
  configured.upstream.authorization?.setRevoked('ann', true);
  configured.upstream.authorization?.revokeTokens();
  const answer = await get(url);
  t.true([401, 403, 404].includes(answer.status), String(answer.status));
  t.is(answer.headers['www-authenticate'], undefined);
});
