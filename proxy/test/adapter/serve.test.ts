import { once } from 'node:events';
import { Agent, get as httpGet, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { BufferPool } from '../../src/adapter/node/buffer-pool.ts';
import { createSendBody } from '../../src/adapter/node/send-body.ts';
import { listen } from '../../src/adapter/node/serve.ts';
import type { Listening } from '../../src/adapter/serving.ts';
import { digestOfBytes, type FakeMirror } from '../doubles/fake-mirror.ts';
import { silentLog, type TestApp, testApp } from '../doubles/test-app.ts';
import { pattern, WatchedSource } from './pattern.ts';

const MIB = 1024 * 1024;

interface TestServer extends TestApp, Listening {
  readonly pool: BufferPool;
  readonly port: number;
}

async function startServer(t: ExecutionContext): Promise<TestServer> {
  const pool = new BufferPool();
  const parts = testApp({ sendBody: createSendBody(pool) });
  const listening = await listen({
    app: parts.app,
    admin: { fetch: () => new Response('admin') },
    config: { listen: { host: '127.0.0.1', port: 0 }, admin: { host: '127.0.0.1', port: 0 } },
    log: silentLog,
  });
  t.teardown(() => listening.drain());
  return { ...parts, ...listening, pool, port: Number(new URL(listening.listen).port) };
}

function put(mirror: FakeMirror, bytes: Uint8Array, failAt?: number): [string, WatchedSource] {
  const source = new WatchedSource(bytes, failAt);
  const digest = digestOfBytes(bytes);
  mirror.blobs.set(digest, () => source);
  return [`/v2/library/x/blobs/${digest}`, source];
}

async function openSocket(port: number, request: string): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.write(request);
  return socket;
}

async function untilEnded(server: TestServer, count: number): Promise<void> {
  while (server.ended.length < count) await new Promise((resolve) => setImmediate(resolve));
}

for (const size of [0, 1, 65_536, MIB, 5 * MIB + 17]) {
  test(`sendBody() gives every byte of a body of ${size} bytes`, async (t) => {
    const server = await startServer(t);
    const bytes = pattern(size);
    const [path, source] = put(server.mirror, bytes);
    const response = await fetch(`${server.listen}${path}`);
    t.is(response.headers.get('content-length'), String(size));
    t.is(Buffer.compare(new Uint8Array(await response.arrayBuffer()), bytes), 0);
    await untilEnded(server, 1);
    t.like(server.ended[0], { status: 200, bytes: size, outcome: 'complete', route: 'blob' });
    t.true(source.isClosed);
    t.is(server.pool.inUse, 0);
  });
}

test('sendBody() gives every client its own bytes when they share pieces', async (t) => {
  const server = await startServer(t);
  const bytes = pattern(5 * MIB + 17);
  const digest = digestOfBytes(bytes);
  const identity = {};
  const sources: WatchedSource[] = [];
  server.mirror.blobs.set(digest, () => {
    const source = Object.assign(new WatchedSource(bytes), { identity });
    sources.push(source);
    return source;
  });
  const url = `${server.listen}/v2/library/x/blobs/${digest}`;
  const starts = Array.from({ length: 24 }, (_, at) => (at * 300_007) % bytes.length);
  await Promise.all(
    starts.map(async (start, at) => {
      const response = await fetch(url, { headers: { range: `bytes=${start}-` } });
      // Every fourth client leaves after the first bytes, as those with parallel ranges do.
      if (at % 4 === 3) {
        await response.body?.cancel();
        return;
      }
      const body = new Uint8Array(await response.arrayBuffer());
      t.is(Buffer.compare(body, bytes.subarray(start)), 0, `from ${start}`);
    }),
  );
  await untilEnded(server, starts.length);
  t.true(sources.every((source) => source.isClosed));
});

test('sendBody() frees everything when a client that pipelined goes', async (t) => {
  const server = await startServer(t);
  const [path, first] = put(server.mirror, pattern(40 * MIB));
  const [other, second] = put(server.mirror, pattern(41 * MIB));
  const request = (of: string) => `GET ${of} HTTP/1.1\r\nHost: mirror\r\n\r\n`;
  const socket = await openSocket(server.port, request(path) + request(other));
  await once(socket, 'data');
  while (second.reads === 0) await new Promise((resolve) => setImmediate(resolve));
  socket.resetAndDestroy();
  await Promise.all([first.closed, second.closed]);
  await untilEnded(server, 2);
  t.is(server.pool.inUse, 0);
});

test('sendBody() sends several ranges as multipart', async (t) => {
  const server = await startServer(t);
  const bytes = pattern(3 * MIB);
  const [path] = put(server.mirror, bytes);
  const response = await fetch(`${server.listen}${path}`, {
    headers: { range: 'bytes=0-9,1048576-3145727' },
  });
  t.is(response.status, 206);
  const body = Buffer.from(await response.arrayBuffer());
  t.is(response.headers.get('content-length'), String(body.length));
  t.true(body.includes(Buffer.from(bytes.subarray(0, 10))));
  t.true(body.includes(Buffer.from(bytes.subarray(MIB))));
});

test('sendBody() ends short with an orderly close when the source fails', async (t) => {
  const server = await startServer(t);
  const bytes = pattern(4 * MIB);
  const [path, source] = put(server.mirror, bytes, 2 * MIB + 5);
  const socket = await openSocket(server.port, `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
  const chunks: Buffer[] = [];
  // A reset would throw here.
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  const received = Buffer.concat(chunks);
  const body = received.subarray(received.indexOf('\r\n\r\n') + 4);
  t.true(received.includes(`Content-Length: ${4 * MIB}`));
  t.is(Buffer.compare(body, bytes.subarray(0, 2 * MIB + 5)), 0);
  await untilEnded(server, 1);
  t.like(server.ended[0], { outcome: 'short', bytes: 2 * MIB + 5 });
  t.true(source.isClosed);
  t.is(server.pool.inUse, 0);
});

test('sendBody() sends the headers and closes when the source fails at once', async (t) => {
  const server = await startServer(t);
  const [path] = put(server.mirror, pattern(100), 0);
  const socket = await openSocket(server.port, `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  t.true(Buffer.concat(chunks).toString().endsWith('\r\n\r\n'));
  t.true(Buffer.concat(chunks).toString().startsWith('HTTP/1.1 200'));
});

test('sendBody() closes the source at once when the client goes', async (t) => {
  const server = await startServer(t);
  const [path, source] = put(server.mirror, pattern(64 * MIB));
  const socket = await openSocket(server.port, `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
  await once(socket, 'data');
  socket.destroy();
  await source.closed;
  await untilEnded(server, 1);
  const { reads } = source;
  t.like(server.ended[0], { outcome: 'aborted', status: 200 });
  t.is(server.pool.inUse, 0);
  await new Promise((resolve) => setImmediate(resolve));
  t.is(source.reads, reads);
});

test('sendBody() stops reading when the client does not read', async (t) => {
  const server = await startServer(t);
  const [path, source] = put(server.mirror, pattern(64 * MIB));
  const socket = await openSocket(server.port, `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
  socket.pause();
  let reads = -1;
  while (reads !== source.reads || reads === 0) {
    ({ reads } = source);
    for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  }
  t.true(reads < 40, `${reads} reads`);
  t.true(server.pool.inUse <= 2 * MIB);
  socket.destroy();
  await source.closed;
});

test('sendBody() answers pipelined requests in order', async (t) => {
  const server = await startServer(t);
  const bytes = pattern(3 * MIB);
  const [path] = put(server.mirror, bytes);
  const request = `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;
  const last = `GET /v2/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`;
  const socket = await openSocket(server.port, request + request + last);
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  const received = Buffer.concat(chunks);
  const first = received.indexOf('\r\n\r\n') + 4;
  t.is(Buffer.compare(received.subarray(first, first + bytes.length), bytes), 0);
  const second = received.indexOf('\r\n\r\n', first + bytes.length) + 4;
  t.is(Buffer.compare(received.subarray(second, second + bytes.length), bytes), 0);
  t.true(
    received
      .subarray(second + bytes.length)
      .toString()
      .endsWith('{}'),
  );
  t.is(server.pool.inUse, 0);
});

test('sendBody() keeps the connection for the next request', async (t) => {
  const server = await startServer(t);
  const bytes = pattern(2 * MIB);
  const [path] = put(server.mirror, bytes);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.teardown(() => agent.destroy());
  const sockets = new Set<Socket>();
  for (let round = 0; round < 20; round += 1) {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      httpGet(`${server.listen}${path}`, { agent }, resolve).on('error', reject);
    });
    sockets.add(response.socket);
    let size = 0;
    for await (const chunk of response) size += (chunk as Buffer).length;
    t.is(size, bytes.length);
  }
  t.is(sockets.size, 1);
});

test('listen() answers HEAD with the length and no body', async (t) => {
  const server = await startServer(t);
  const [path, source] = put(server.mirror, pattern(1234));
  const response = await fetch(`${server.listen}${path}`, { method: 'HEAD' });
  t.is(response.headers.get('content-length'), '1234');
  t.is(response.status, 200);
  t.is(source.reads, 0);
});

test('listen() answers requests that cannot be read in the form of the specification', async (t) => {
  const server = await startServer(t);
  for (const request of ['NONSENSE\r\n\r\n', 'GET /v2/ HTTP/1.1\r\nHost: a b\r\n\r\n']) {
    const socket = await openSocket(server.port, request);
    socket.end();
    const chunks: Buffer[] = [];
    for await (const chunk of socket) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    t.true(text.startsWith('HTTP/1.1 400'), text);
    t.true(text.includes('"errors":[{'), text);
  }
});

test('drain() waits for open bodies and refuses new connections', async (t) => {
  const server = await startServer(t);
  const bytes = pattern(32 * MIB);
  const [path] = put(server.mirror, bytes);
  const response = await fetch(`${server.listen}${path}`);
  const drained = server.drain();
  await t.throwsAsync(() => fetch(`${server.listen}/v2/`));
  t.is((await response.arrayBuffer()).byteLength, bytes.length);
  await drained;
});

test('listen() rejects when the address is taken', async (t) => {
  const server = await startServer(t);
  const taken = { host: '127.0.0.1', port: server.port };
  const config = { listen: taken, admin: { host: '127.0.0.1', port: 0 } };
  const parts = { app: server.app, admin: server.app, config, log: silentLog };
  await t.throwsAsync(() => listen(parts), { code: 'EADDRINUSE' });
});
