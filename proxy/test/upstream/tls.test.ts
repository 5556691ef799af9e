// TLS to upstreams: whom Mica believes, and to whom it shows its certificate.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { generate } from 'selfsigned';
import { makeFolder, removeFolder } from '../doubles/test-runtime.ts';
import { LATEST, putImage, REPOSITORY, rejects, startUpstream } from './open-test-upstream.ts';

/** A certificate for a name that only the test's resolver knows, and for 127.0.0.1. */
const { cert, private: key } = await generate([{ name: 'commonName', value: 'registry.test' }], {
  keyType: 'ec',
  algorithm: 'sha256',
  extensions: [
    { name: 'basicConstraints', cA: true },
    {
      name: 'subjectAltName',
      altNames: [
        { type: 2, value: 'registry.test' },
        { type: 7, ip: '127.0.0.1' },
      ],
    },
  ],
});

async function writeFiles(t: ExecutionContext) {
  const folder = await makeFolder();
  t.teardown(() => removeFolder(folder));
  const paths = { ca: join(folder, 'ca.pem'), key: join(folder, 'key.pem') };
  await writeFile(paths.ca, cert);
  await writeFile(paths.key, key);
  return paths;
}

test('an upstream is believed when the configured authority signed its certificate', async (t) => {
  const { ca } = await writeFiles(t);
  const { registry, upstream } = await startUpstream(t, {
    registry: { tls: { cert, key } },
    config: { ca },
  });
  putImage(registry);
  await upstream.getManifest(REPOSITORY, LATEST, {});
  t.is(registry.requests.length, 1);
});

test('an upstream is not believed without the authority', async (t) => {
  const { registry, upstream } = await startUpstream(t, { registry: { tls: { cert, key } } });
  putImage(registry);
  await rejects(t, 'transport', upstream.getManifest(REPOSITORY, LATEST, {}));
  t.is(registry.requests.length, 0);
});

test('the name is checked, not the address that it was resolved to', async (t) => {
  const { ca } = await writeFiles(t);
  const first = await startUpstream(t, { registry: { tls: { cert, key } } });
  putImage(first.registry);
  const { port } = new URL(first.registry.url);
  const lookup = () => Promise.resolve(['127.0.0.1']);
  for (const [host, isBelieved] of [
    ['registry.test', true],
    ['other.test', false],
  ] as const) {
    const { upstream } = await startUpstream(t, {
      config: { ca, urls: [`https://${host}:${port}`] },
      network: { lookup },
    });
    const asking = upstream.getManifest(REPOSITORY, LATEST, {});
    if (isBelieved) t.is((await asking).bytes.length > 0, true);
    else await rejects(t, 'transport', asking);
  }
});

test('the client certificate is shown to the upstream', async (t) => {
  const { ca, key: clientKey } = await writeFiles(t);
  const tls = { cert, key, ca: cert, requestCert: true };
  const without = await startUpstream(t, { registry: { tls }, config: { ca } });
  putImage(without.registry);
  await rejects(t, 'transport', without.upstream.getManifest(REPOSITORY, LATEST, {}));
  const shown = await startUpstream(t, {
    registry: { tls },
    config: { ca, clientCert: ca, clientKey },
  });
  putImage(shown.registry);
  await shown.upstream.getManifest(REPOSITORY, LATEST, {});
  t.is(shown.registry.requests.length, 1);
});

test('the client certificate is not shown to a host that the upstream redirects to', async (t) => {
  const { ca, key: clientKey } = await writeFiles(t);
  const store = await startUpstream(t, {
    registry: { tls: { cert, key, ca: cert, requestCert: true } },
  });
  const { port } = new URL(store.registry.url);
  const { registry, upstream } = await startUpstream(t, {
    registry: { tls: { cert, key } },
    config: { ca, clientCert: ca, clientKey },
    network: {
      lookup: (host) => Promise.resolve([host === 'registry.test' ? '127.0.0.1' : host]),
    },
  });
  const { digest } = putImage(registry);
  const location = `https://registry.test:${port}/x`;
  registry.faults.add({ path: 'blobs', fault: { kind: 'redirect', location } });
  await rejects(t, 'transport', upstream.openBlob(REPOSITORY, digest, 0, 0, {}));
  t.is(store.registry.requests.length, 0);
});
