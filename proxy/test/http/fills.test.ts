// One upstream fetch per digest, however many clients wait and whatever becomes of them.

import { once } from 'node:events';
import test from 'ava';
import { request } from 'undici';
import { digestBytes, seededBytes } from '../upstream-double/content.ts';
import { makeGate } from '../upstream-double/gate.ts';
import { collect, get } from './client.ts';
import { startMirror, UPSTREAM } from './mirror.ts';

const mirror = await startMirror({ upstream: { hosts: ['mirror.test'] } });
test.after.always(() => mirror.stop());

const SIZE = 4_000_000;

function putBlob(repository: string, size = SIZE) {
  const blob = mirror.upstream.putBlob(repository, seededBytes(repository, size));
  return { blob, path: `${repository}/blobs/${blob.digest}` };
}

/** Holds the blob's body at its upstream after so many bytes. */
function hold(digest: string, after: number): () => void {
  const gate = makeGate();
  mirror.upstream.faults.add({
    path: digest,
    method: 'GET',
    fault: { kind: 'hold', after, until: gate.opened },
  });
  return gate.open;
}

test('twenty clients on a cold blob by all path forms cost one GET', async (t) => {
  const { blob, path } = putBlob('herd');
  const open = hold(blob.digest, 1_000_000);
  const answers = Array.from({ length: 20 }, async (_, number) => {
    if (number % 4 === 0) return await get(mirror.url(`/v2/${path}`));
    if (number % 4 === 1) return await get(mirror.url(`/v2/${UPSTREAM}/${path}`));
    if (number % 4 === 2) return await get(mirror.url(`/v2/${path}?ns=${UPSTREAM}`));
    return await collect(
      await request(mirror.url(`/v2/${path}`), { headers: { host: 'mirror.test' } }),
    );
  });
  await mirror.upstream.waitForRequests(blob.digest);
  open();
  for (const answer of await Promise.all(answers)) {
    t.is(answer.status, 200);
    t.is(digestBytes(answer.body), blob.digest);
  }
  t.is(mirror.upstream.count(blob.digest, 'GET'), 1);
  t.is(mirror.upstream.bytesSent(blob.digest), SIZE);
});

test('twenty clients on a cold tag cost one GET of the manifest', async (t) => {
  const { manifest } = mirror.upstream.putImage({ repository: 'herd/tag', tag: 'v1', seed: 'tag' });
  const urls = [
    '/v2/herd/tag/manifests/v1',
    `/v2/${UPSTREAM}/herd/tag/manifests/v1`,
    `/v2/herd/tag/manifests/${manifest.digest}`,
  ].map((path) => mirror.url(path));
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, number) => get(urls[number % 2] ?? '')),
  );
  for (const answer of answers) t.is(digestBytes(answer.body), manifest.digest);
  t.is(mirror.upstream.count('/herd/tag/manifests/', 'GET'), 1);
  t.is((await get(urls[2] ?? '')).status, 200);
  t.is(mirror.upstream.count('/herd/tag/manifests/', 'GET'), 1);
});

test('a second tag of a stored manifest is not fetched again', async (t) => {
  const { manifest } = mirror.upstream.putImage({ repository: 'two-tags', tag: 'a', seed: 'two' });
  mirror.upstream.tag('two-tags', 'b', manifest.digest);
  for (const tag of ['a', 'b'])
    t.is(
      digestBytes((await get(mirror.url(`/v2/two-tags/manifests/${tag}`))).body),
      manifest.digest,
    );
  t.true(mirror.upstream.count('/two-tags/', 'GET') <= 1);
});

test('a blob that two repositories share is fetched once', async (t) => {
  const bytes = seededBytes('shared', 100_000);
  const { digest } = mirror.upstream.putBlob('shared/a', bytes);
  mirror.upstream.putBlob('shared/b', bytes);
  for (const repository of ['shared/a', 'shared/b'])
    t.is((await get(mirror.url(`/v2/${repository}/blobs/${digest}`))).status, 200);
  t.is(mirror.upstream.count(digest, 'GET'), 1);
});

test('a body streams from its first byte while the upstream still sends', async (t) => {
  const { blob, path } = putBlob('streams');
  const open = hold(blob.digest, 2_000_000);
  const answer = await request(mirror.url(`/v2/${path}`));
  t.is(answer.headers['content-length'], String(SIZE));
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of answer.body) {
    chunks.push(Buffer.from(chunk));
    length += chunk.length;
    if (length >= 1_000_000) open();
  }
  t.is(digestBytes(Buffer.concat(chunks)), blob.digest);
});

test('the disconnect of the only client does not end the fill', async (t) => {
  const { blob, path } = putBlob('leaves');
  const open = hold(blob.digest, 500_000);
  const answer = await request(mirror.url(`/v2/${path}`));
  answer.body.on('error', () => undefined);
  await once(answer.body, 'readable');
  answer.body.destroy();
  open();
  await mirror.upstream.waitUntil(() => mirror.upstream.bytesSent(blob.digest) === SIZE);
  t.is(digestBytes((await get(mirror.url(`/v2/${path}`))).body), blob.digest);
  t.is(mirror.upstream.count(blob.digest, 'GET'), 1);
});

test('clients that come and go leave the others’ bodies alone', async (t) => {
  const { blob, path } = putBlob('restless');
  const open = hold(blob.digest, 3_000_000);
  const stays = get(mirror.url(`/v2/${path}`));
  await mirror.upstream.waitUntil(() => mirror.upstream.bytesSent(blob.digest) >= 3_000_000);
  for (let count = 0; count < 10; count += 1) {
    const answer = await request(mirror.url(`/v2/${path}`));
    answer.body.on('error', () => undefined);
    await once(answer.body, 'readable');
    answer.body.destroy();
  }
  const joins = get(mirror.url(`/v2/${path}`));
  open();
  for (const answer of await Promise.all([stays, joins]))
    t.is(digestBytes(answer.body), blob.digest);
  t.is(mirror.upstream.count(blob.digest, 'GET'), 1);
});

test('a client that does not read slows neither the fill nor the others', async (t) => {
  const size = 20_000_000;
  const { blob, path } = putBlob('slow', size);
  const lazy = await request(mirror.url(`/v2/${path}`), { highWaterMark: 1024 });
  const answer = await get(mirror.url(`/v2/${path}`));
  t.is(digestBytes(answer.body), blob.digest);
  t.is(mirror.upstream.bytesSent(blob.digest), size);
  t.is(digestBytes((await collect(lazy)).body), blob.digest);
  t.is(mirror.upstream.count(blob.digest, 'GET'), 1);
});

test('the answer to a HEAD during a fill does not wait for it', async (t) => {
  const { blob, path } = putBlob('head-during');
  const open = hold(blob.digest, 100_000);
  const whole = get(mirror.url(`/v2/${path}`));
  await mirror.upstream.waitUntil(() => mirror.upstream.bytesSent(blob.digest) >= 100_000);
  const answer = await request(mirror.url(`/v2/${path}`), { method: 'HEAD' });
  t.is(answer.statusCode, 200);
  t.is(answer.headers['content-length'], String(SIZE));
  open();
  t.is((await whole).body.length, SIZE);
});
