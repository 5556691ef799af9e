// SIGTERM: no new work, and the bodies on their way arrive whole.

import test from 'ava';
import { request } from 'undici';
import { startMica } from '../server-under-test.ts';
import { digestBytes, seededBytes } from '../upstream-double/content.ts';
import { makeGate } from '../upstream-double/gate.ts';
import { startRegistry } from '../upstream-double/registry.ts';
import { collect, get } from './client.ts';

test('SIGTERM lets an open body finish, then the process ends with 0', async (t) => {
  const upstream = await startRegistry();
  t.teardown(() => upstream.close());
  const mica = await startMica({ upstreams: { 'up.test': { url: upstream.url } } });
  t.teardown(() => mica.kill());
  const blob = upstream.putBlob('drained', seededBytes('drained', 5_000_000));
  const gate = makeGate();
  upstream.faults.add({
    path: blob.digest,
    fault: { kind: 'hold', after: 1_000_000, until: gate.opened },
  });
  const answer = await request(`${mica.url}/v2/drained/blobs/${blob.digest}`);
  mica.signal('SIGTERM');
  // The port closes while the body is still open.
  for (;;) {
    const refused = await get(`${mica.url}/v2/`, { connection: 'close' }).then(
      () => false,
      () => true,
    );
    if (refused) break;
  }
  gate.open();
  const received = await collect(answer);
  t.true(received.complete);
  t.is(digestBytes(received.body), blob.digest);
  t.is(await mica.exited, 0);
});

test('SIGTERM and SIGINT end an idle server at once with 0', async (t) => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const mica = await startMica({ upstreams: { 'up.test': { url: 'http://127.0.0.1:9' } } });
    t.teardown(() => mica.kill());
    // A kept-alive connection without a request must not hold it.
    t.is((await get(`${mica.url}/v2/`)).status, 200);
    const startedMs = performance.now();
    mica.signal(signal);
    t.is(await mica.exited, 0, signal);
    t.true(performance.now() - startedMs < 5000, signal);
  }
});
