// A server on Deno over a fake mirror. Prints its URL and what it has, then its requests as they end.

import { denoServing } from '../../src/adapter/deno/serving.ts';
import { digestOfBytes } from '../doubles/fake-mirror.ts';
import { silentLog, testApp } from '../doubles/test-app.ts';
import { pattern, WatchedSource } from './pattern.ts';

const MIB = 1024 * 1024;
const serving = denoServing();
const { app, mirror } = testApp({
  sendBody: serving.sendBody,
  clientAddress: (c) => serving.clientAddress(c),
  requestEnded: (ended) => console.log(JSON.stringify(ended)),
});

function put(size: number, failAt?: number): string {
  const bytes = pattern(size);
  const digest = digestOfBytes(bytes);
  mirror.blobs.set(digest, () => new WatchedSource(bytes, failAt));
  return `/v2/library/x/blobs/${digest}`;
}

const whole = put(3 * MIB + 5);
const broken = put(2 * MIB, MIB + 3);
const large = put(64 * MIB);
const listening = await serving.listen({
  app,
  admin: { fetch: () => new Response('admin') },
  config: { listen: { host: '127.0.0.1', port: 0 }, admin: { host: '127.0.0.1', port: 0 } },
  log: silentLog,
});
console.log(JSON.stringify({ url: listening.listen, whole, broken, large }));
process.once('SIGTERM', () => {
  void listening.drain().then(() => console.log(JSON.stringify({ drained: true })));
});
// Its input ends with the tests, however they end.
process.stdin.once('end', () => process.exit());
process.stdin.resume();
