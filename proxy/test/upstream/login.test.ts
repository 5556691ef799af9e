// Logging in: challenges, tokens and passwords, and who gets to see them.

import test from 'ava';
import type { ClientCredential } from '../../src/access/credential.ts';
import { parseRepositoryName } from '../../src/oci/reference.ts';
import type { AuthorizationOptions } from '../upstream-double/authorization.ts';
import { startRegistry } from '../upstream-double/registry.ts';
import {
  LATEST,
  putImage,
  REPOSITORY,
  readAll,
  rejects,
  startUpstream,
} from './open-test-upstream.ts';

const ANN = { username: 'ann', password: 'pä:ss"word' };
const USERS = { ann: { password: ANN.password }, bob: { password: 'b', repositories: ['b/b'] } };
const BEARER: AuthorizationOptions = { kind: 'bearer', users: USERS };
const ANONYMOUS: AuthorizationOptions = { kind: 'bearer', anonymous: true };

function client(username: string, password: string): ClientCredential {
  return { username, password, fingerprint: `${username}-fingerprint` };
}

test('a token is fetched without a name by GET when there is no credential', async (t) => {
  const { registry, upstream } = await startUpstream(t, {
    registry: { authorization: ANONYMOUS },
  });
  putImage(registry);
  await upstream.getManifest(REPOSITORY, LATEST, {});
  const [token] = registry.requests.filter(({ path }) => path.startsWith('/token'));
  t.is(token?.method, 'GET');
  t.is(token?.path, '/token?service=double&scope=repository%3Ao%2Fr%3Apull');
  t.is(token?.headers.authorization, undefined);
});

test('a token is fetched by POST when there is a credential', async (t) => {
  const { registry, upstream } = await startUpstream(t, {
    registry: { authorization: { ...BEARER, tokenField: 'access_token' } },
    credential: ANN,
  });
  putImage(registry);
  await upstream.getManifest(REPOSITORY, LATEST, {});
  t.is(registry.count('/token', 'POST'), 1);
  t.is(registry.count('/token', 'GET'), 0);
  t.false(registry.requests.some(({ path }) => path.includes('p%C3%A4')));
});

test('a token is fetched by GET when the server does not take POST', async (t) => {
  const { registry, upstream } = await startUpstream(t, {
    registry: { authorization: { ...BEARER, tokenMethods: ['GET'] } },
    credential: ANN,
  });
  putImage(registry);
  await upstream.getManifest(REPOSITORY, LATEST, {});
  t.is(registry.count('/token', 'GET'), 1);
});

test('a token is fetched from another port of the same host', async (t) => {
  const { registry, upstream } = await startUpstream(t, {
    registry: { authorization: { ...BEARER, tokenServer: 'other' } },
    credential: ANN,
  });
  putImage(registry);
  await upstream.getManifest(REPOSITORY, LATEST, {});
  t.true(registry.requests.some(({ role }) => role === 'token'));
});

test('a second request carries the token at once', async (t) => {
  const { registry, upstream } = await startUpstream(t, {
    registry: { authorization: BEARER },
    credential: ANN,
  });
  const { digest, bytes } = putImage(registry);
  await upstream.getManifest(REPOSITORY, LATEST, {});
  t.is(registry.requests.length, 3);
  const blob = await upstream.openBlob(REPOSITORY, digest, 0, 0, {});
  t.is(Buffer.compare(await readAll(blob), bytes), 0);
  t.is(registry.requests.length, 4);
});

test('many requests at the same time cause one token request', async (t) => {
  const { registry, upstream } = await startUpstream(t, {
    registry: { authorization: BEARER },
    credential: ANN,
  });
  putImage(registry);
  let release: () => void = () => undefined;
  const until = new Promise<void>((resolve) => {
    release = resolve;
  });
  registry.faults.add({ path: '/token', fault: { kind: 'hold', after: 'headers', until } });
  const all = Promise.all(
    Array.from({ length: 20 }, () => upstream.headManifest(REPOSITORY, LATEST, {})),
  );
  await registry.waitUntil(() => registry.count('manifests') === 20);
  await registry.waitForRequests('/token');
  release();
  await all;
  t.is(registry.count('/token'), 1);
});

test('a token is renewed before it ends', async (t) => {
  const { registry, upstream, clock } = await startUpstream(t, {
    registry: { authorization: { ...BEARER, tokenSeconds: 300 } },
    credential: ANN,
  });
  putImage(registry);
  await upstream.headManifest(REPOSITORY, LATEST, {});
  clock.shift(260_000);
  await upstream.headManifest(REPOSITORY, LATEST, {});
  t.is(registry.count('/token'), 1);
  clock.shift(20_000);
  await upstream.headManifest(REPOSITORY, LATEST, {});
  t.is(registry.count('/token'), 2);
  t.is(registry.requests.filter(({ status }) => status === 401).length, 1);
});

test('a token that the registry no longer takes is replaced', async (t) => {
  const { registry, upstream } = await startUpstream(t, {
    registry: { authorization: BEARER },
    credential: ANN,
  });
  putImage(registry);
  await upstream.headManifest(REPOSITORY, LATEST, {});
  registry.authorization?.revokeTokens();
  await upstream.headManifest(REPOSITORY, LATEST, {});
  t.is(registry.count('/token'), 2);
});

test("a client's credential is used instead of the configured one, with tokens of its own", async (t) => {
  const { registry, upstream } = await startUpstream(t, {
    registry: { authorization: BEARER },
    credential: ANN,
  });
  putImage(registry);
  await upstream.headManifest(REPOSITORY, LATEST, {});
  const bob = { credential: client('bob', 'b') };
  await rejects(t, 'denied', upstream.headManifest(REPOSITORY, LATEST, bob));
  await upstream.headManifest(REPOSITORY, LATEST, {});
  t.is(registry.count('/token', 'POST'), 2);
});

test('a wrong password is told apart from a missing permission', async (t) => {
  const { registry, upstream } = await startUpstream(t, { registry: { authorization: BEARER } });
  putImage(registry);
  const wrong = { credential: client('ann', 'wrong') };
  const error = await rejects(t, 'unauthorized', upstream.headManifest(REPOSITORY, LATEST, wrong));
  t.false(error.message.includes('wrong'));
  const bob = { credential: client('bob', 'b') };
  await rejects(t, 'denied', upstream.headManifest(REPOSITORY, LATEST, bob));
  await rejects(t, 'not-found', upstream.headManifest(parseRepositoryName('b/b'), LATEST, bob));
});

test('a second 401 is final', async (t) => {
  const { registry, upstream } = await startUpstream(t, {
    registry: { authorization: { ...BEARER, deniedStatus: 401 } },
  });
  putImage(registry);
  const bob = { credential: client('bob', 'b') };
  await rejects(t, 'unauthorized', upstream.headManifest(REPOSITORY, LATEST, bob));
  t.is(registry.count('manifests'), 2);
});

test('a password is sent to a registry that asks for Basic, at once from the second request on', async (t) => {
  const { registry, upstream } = await startUpstream(t, {
    registry: { authorization: { kind: 'basic', users: USERS } },
    credential: ANN,
  });
  putImage(registry);
  await upstream.headManifest(REPOSITORY, LATEST, {});
  await upstream.headManifest(REPOSITORY, LATEST, {});
  t.is(registry.count('manifests'), 3);
  const wrong = { credential: client('ann', 'wrong') };
  await rejects(t, 'unauthorized', upstream.headManifest(REPOSITORY, LATEST, wrong));
});

test('a registry that asks for Basic is not asked again without a credential', async (t) => {
  const { registry, upstream } = await startUpstream(t, {
    registry: { authorization: { kind: 'basic', users: USERS } },
  });
  putImage(registry);
  await rejects(t, 'unauthorized', upstream.headManifest(REPOSITORY, LATEST, {}));
  t.is(registry.count('manifests'), 1);
});

test('a realm on another host without https is refused and gets nothing', async (t) => {
  const thief = await startRegistry({ address: '127.0.0.2' });
  t.teardown(() => thief.close());
  const { registry, upstream } = await startUpstream(t, { credential: ANN });
  putImage(registry);
  const realm = `${thief.url}/token`;
  registry.faults.add({ path: 'manifests', fault: { kind: 'foreign-realm', realm } });
  await rejects(t, 'refused', upstream.headManifest(REPOSITORY, LATEST, {}));
  t.is(thief.requests.length, 0);
});

test('a realm whose name leads to a metadata service is refused by its address', async (t) => {
  const { registry, upstream } = await startUpstream(t, {
    credential: ANN,
    network: {
      lookup: (host) => Promise.resolve(host === 'auth.test' ? ['169.254.169.254'] : [host]),
    },
  });
  putImage(registry);
  const realm = 'https://auth.test/token';
  registry.faults.add({ path: 'manifests', fault: { kind: 'foreign-realm', realm } });
  await rejects(t, 'refused', upstream.headManifest(REPOSITORY, LATEST, {}));
});

test('a token is sent to no other host or port that a blob is redirected to', async (t) => {
  const { registry, upstream } = await startUpstream(t, {
    registry: { authorization: BEARER, cdn: { address: '127.0.0.2' } },
    credential: ANN,
  });
  const { digest, bytes } = putImage(registry);
  const blob = await upstream.openBlob(REPOSITORY, digest, 0, 0, {});
  t.is(Buffer.compare(await readAll(blob), bytes), 0);
  const there = registry.requests.filter(({ role }) => role === 'cdn');
  t.is(there.length, 1);
  t.is(there[0]?.headers.authorization, undefined);
});

test('a redirect to a host inside is refused, and its query is in no message', async (t) => {
  const { registry, upstream } = await startUpstream(t, {
    network: { lookup: (host) => Promise.resolve(host === 'cdn.test' ? ['169.254.1.1'] : [host]) },
  });
  const { digest } = putImage(registry);
  for (const host of ['169.254.169.254', 'cdn.test', '[fe80::1]']) {
    registry.faults.clear();
    const location = `https://${host}/data?signature=secret`;
    registry.faults.add({ path: 'blobs', fault: { kind: 'redirect', location } });
    const error = await rejects(t, 'refused', upstream.openBlob(REPOSITORY, digest, 0, 0, {}));
    t.false(error.message.includes('secret'), error.message);
    t.is(registry.count('blobs'), 1);
    registry.requests.length = 0;
  }
});

test('a blob store that refuses is not taken for a registry that denies', async (t) => {
  const { registry, upstream } = await startUpstream(t, { registry: { cdn: true } });
  const { digest } = putImage(registry);
  registry.faults.add({ path: '/data/', role: 'cdn', fault: { kind: 'status', status: 403 } });
  await rejects(t, 'unavailable', upstream.openBlob(REPOSITORY, digest, 0, 0, {}));
});
