// Tries, URLs, the circuit and the rate limit.

import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { connect } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { openUpstream } from '../../src/upstream/open-upstream.ts';
import type { Fault } from '../upstream-double/fault.ts';
import { startRegistry } from '../upstream-double/registry.ts';
import {
  LATEST,
  makeConfig,
  putImage,
  REPOSITORY,
  readAll,
  rejects,
  startUpstream,
} from './open-test-upstream.ts';

const PASSING: readonly (readonly [title: string, fault: Fault])[] = [
  ['500', { kind: 'status', status: 500 }],
  ['502', { kind: 'status', status: 502 }],
  ['503', { kind: 'status', status: 503 }],
  ['504', { kind: 'status', status: 504 }],
  ['a reset before the header', { kind: 'reset', after: 0 }],
  ['a stall before the header', { kind: 'stall', after: 'headers' }],
];
for (const [title, fault] of PASSING) {
  test(`a request is tried three times when it meets ${title}`, async (t) => {
    const { registry, upstream } = await startUpstream(t, { config: { headersTimeoutMs: 150 } });
    const { digest } = putImage(registry);
    registry.faults.add({ path: 'manifests', times: 2, fault });
    await upstream.getManifest(REPOSITORY, LATEST, {});
    t.is(registry.count('manifests'), 3);
    registry.faults.add({ path: 'blobs', fault });
    const kind = fault.kind === 'status' ? 'unavailable' : 'transport';
    const error = await rejects(t, kind, upstream.openBlob(REPOSITORY, digest, 0, 0, {}));
    t.is(registry.count('blobs'), 3);
    t.regex(error.message, /^up\.test: GET \/v2\/o\/r\/blobs\/sha256:/);
    t.is(upstream.status().circuit, 'closed');
    t.like(upstream.status(), { requests: 6, failures: 5 });
  });
}

test('a manifest whose body breaks is fetched again', async (t) => {
  const { registry, upstream } = await startUpstream(t);
  const { manifest } = putImage(registry);
  registry.faults.add({ path: 'manifests', times: 1, fault: { kind: 'reset', after: 50 } });
  const received = await upstream.getManifest(REPOSITORY, LATEST, {});
  t.is(received.bytes.length, manifest.bytes.length);
});

test('an aborted request is given up at once and counts for nothing', async (t) => {
  const { registry, upstream } = await startUpstream(t);
  putImage(registry);
  registry.faults.add({ path: 'manifests', fault: { kind: 'stall', after: 'headers' } });
  const controller = new AbortController();
  const { signal } = controller;
  for (let count = 0; count < 6; count += 1) {
    const asking = upstream.getManifest(REPOSITORY, LATEST, { signal });
    if (count === 0) await registry.waitForRequests('manifests');
    controller.abort(new Error('enough'));
    await rejects(t, 'transport', asking);
  }
  t.is(registry.count('manifests'), 1);
  t.is(upstream.status().circuit, 'closed');
});

test('the next URL is asked when one does not answer, and not when it answers no', async (t) => {
  const second = await startRegistry();
  const first = await startRegistry();
  t.teardown(() => Promise.all([first.close(), second.close()]));
  const { upstream } = await startUpstream(t, { config: { urls: [first.url, second.url] } });
  const { digest, bytes } = putImage(second);
  await rejects(t, 'not-found', upstream.headManifest(REPOSITORY, LATEST, {}));
  t.is(second.requests.length, 0);
  await first.refuse();
  await upstream.headManifest(REPOSITORY, LATEST, {});
  await first.restore();
  first.faults.add({ path: '/v2/', fault: { kind: 'status', status: 429 } });
  await upstream.getManifest(REPOSITORY, LATEST, {});
  first.requests.length = 0;
  const blob = await upstream.openBlob(REPOSITORY, digest, 0, 3, {});
  t.is(Buffer.compare(await readAll(blob), bytes), 0);
  t.is(first.requests.length, 0);
});

test('a URL that is silent leaves time to the next one', async (t) => {
  const silent = await startRegistry();
  const second = await startRegistry();
  t.teardown(() => Promise.all([silent.close(), second.close()]));
  silent.faults.add({ path: '/v2/', fault: { kind: 'stall', after: 'headers' } });
  putImage(second);
  const { upstream } = await startUpstream(t, {
    config: { urls: [silent.url, second.url], headersTimeoutMs: 60_000 },
    haste: 10,
  });
  await upstream.getManifest(REPOSITORY, LATEST, {});
  t.is(silent.requests.length, 1);
  t.is(second.requests.length, 1);
});

test('a request is given up when its time is over', async (t) => {
  const { registry, upstream } = await startUpstream(t, {
    config: { headersTimeoutMs: 60_000 },
    haste: 100,
  });
  registry.faults.add({ path: '/v2/', fault: { kind: 'stall', after: 'headers' } });
  const error = await rejects(t, 'transport', upstream.getManifest(REPOSITORY, LATEST, {}));
  t.regex(error.message, /not done within 20000 ms/);
  t.is(upstream.status().failures, 1);
});

test('the circuit opens when the upstream is gone, and closes when it is back', async (t) => {
  const { registry, upstream, clock } = await startUpstream(t);
  putImage(registry);
  await registry.refuse();
  for (let count = 0; count < 5; count += 1)
    await rejects(t, 'transport', upstream.headManifest(REPOSITORY, LATEST, {}));
  t.is(upstream.status().circuit, 'open');
  const { requests } = upstream.status();
  const error = await rejects(t, 'unavailable', upstream.headManifest(REPOSITORY, LATEST, {}));
  t.is(error.retryAfterSeconds, 5);
  t.is(upstream.status().requests, requests);
  await registry.restore();
  clock.shift(5000);
  t.is(upstream.status().circuit, 'half-open');
  await upstream.headManifest(REPOSITORY, LATEST, {});
  t.is(upstream.status().circuit, 'closed');
});

test('the circuit stays closed when the upstream only says no', async (t) => {
  const { registry, upstream } = await startUpstream(t);
  for (let count = 0; count < 10; count += 1)
    await rejects(t, 'not-found', upstream.headManifest(REPOSITORY, LATEST, {}));
  t.is(upstream.status().circuit, 'closed');
  t.is(registry.count('manifests'), 10);
});

test('manifests are not asked for while the rate limit holds, all else is', async (t) => {
  const { registry, upstream, clock } = await startUpstream(t, {
    registry: { rateLimit: { limit: 100, remaining: 1 } },
  });
  const { digest } = putImage(registry);
  const fault: Fault = { kind: 'status', status: 429, retryAfterSeconds: 600 };
  registry.faults.add({ path: 'manifests', times: 1, fault });
  const error = await rejects(t, 'rate-limited', upstream.getManifest(REPOSITORY, LATEST, {}));
  t.is(error.retryAfterSeconds, 600);
  const held = await rejects(t, 'rate-limited', upstream.getManifest(REPOSITORY, LATEST, {}));
  t.true((held.retryAfterSeconds ?? 0) > 590);
  t.is(registry.count('manifests'), 1);
  await upstream.headBlob(REPOSITORY, digest, {});
  await upstream.headManifest(REPOSITORY, LATEST, {});
  t.deepEqual(upstream.status().rateLimit, { limit: 100, remaining: 1, windowSeconds: 21_600 });
  clock.shift(600_000);
  await upstream.getManifest(REPOSITORY, LATEST, {});
});

test('Retry-After of a 503 reaches who asked', async (t) => {
  const { registry, upstream } = await startUpstream(t);
  const fault: Fault = { kind: 'status', status: 503, retryAfterSeconds: 77 };
  registry.faults.add({ path: 'manifests', fault });
  const error = await rejects(t, 'unavailable', upstream.getManifest(REPOSITORY, LATEST, {}));
  t.is(error.retryAfterSeconds, 77);
  t.is(registry.count('manifests'), 1);
});

test('an upstream is found under a path', async (t) => {
  const { registry, upstream } = await startUpstream(t, { config: {} });
  t.teardown(() => upstream.close());
  const below = await startUpstream(t, { config: { urls: [`${registry.url}/mirror/`] } });
  await rejects(t, 'not-found', below.upstream.headManifest(REPOSITORY, LATEST, {}));
  t.is(registry.requests[0]?.path, '/mirror/v2/o/r/manifests/latest');
});

test('a host is reached by the address that its name was resolved to, the next one if need be', async (t) => {
  const registry = await startRegistry();
  t.teardown(() => registry.close());
  putImage(registry);
  const { port } = new URL(registry.url);
  const { upstream } = await startUpstream(t, {
    config: { urls: [`http://registry.test:${port}`] },
    network: { lookup: () => Promise.resolve(['127.0.0.3', '127.0.0.1']) },
  });
  await upstream.getManifest(REPOSITORY, LATEST, {});
  t.is(registry.requests[0]?.headers.host, `registry.test:${port}`);
});

/** A proxy that tunnels, and notes to where. */
async function startProxy(t: ExecutionContext): Promise<{ url: string; tunnels: string[] }> {
  const tunnels: string[] = [];
  const server: Server = createServer();
  server.on('connect', (request, socket, head) => {
    tunnels.push(request.url ?? '');
    const port = Number(/:(\d+)$/.exec(request.url ?? '')?.[1]);
    const onward = connect(port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      onward.write(head);
      onward.pipe(socket).pipe(onward);
    });
    for (const end of [socket, onward]) end.on('error', () => end.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  return { url: `http://127.0.0.1:${port}`, tunnels };
}

test('a proxy of the environment is used, but for the hosts of NO_PROXY', async (t) => {
  const proxy = await startProxy(t);
  const environment = { HTTP_PROXY: proxy.url };
  const { registry, upstream } = await startUpstream(t, { environment });
  putImage(registry);
  await upstream.getManifest(REPOSITORY, LATEST, {});
  t.deepEqual(proxy.tunnels, [registry.host]);
  const past = await startUpstream(t, { environment: { ...environment, NO_PROXY: '127.0.0.1' } });
  putImage(past.registry);
  await past.upstream.getManifest(REPOSITORY, LATEST, {});
  t.is(proxy.tunnels.length, 1);
});

test('a configured proxy is used before the environment, and the guard holds behind it', async (t) => {
  const proxy = await startProxy(t);
  const { registry, upstream } = await startUpstream(t, {
    config: { proxy: proxy.url },
    environment: { HTTP_PROXY: 'http://127.0.0.1:1', NO_PROXY: '*' },
    network: { lookup: (host) => Promise.resolve(host === 'cdn.test' ? ['169.254.1.1'] : [host]) },
  });
  const { digest } = putImage(registry);
  await upstream.headManifest(REPOSITORY, LATEST, {});
  t.is(proxy.tunnels.length, 1);
  for (const location of ['https://169.254.169.254/x', 'https://cdn.test/x']) {
    registry.faults.clear();
    registry.faults.add({ path: 'blobs', fault: { kind: 'redirect', location } });
    await rejects(t, 'refused', upstream.openBlob(REPOSITORY, digest, 0, 0, {}));
  }
  t.false(proxy.tunnels.some((target) => target !== registry.host));
});

test('openUpstream() rejects when a certificate cannot be read', async (t) => {
  const { runtime } = await startUpstream(t);
  await t.throwsAsync(
    openUpstream({
      name: 'up.test',
      config: makeConfig({ urls: ['https://up.test'], ca: '/nonexistent/ca.pem' }),
      runtime,
      credential: () => Promise.resolve(undefined),
    }),
    { message: /\/nonexistent\/ca\.pem/ },
  );
});
