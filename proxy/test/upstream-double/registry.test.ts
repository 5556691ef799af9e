// The fake registry itself: a fault that is not injected proves nothing.

import { request } from 'node:http';
import test from 'ava';
import { digestBytes, mediaTypesOf, seededBytes } from './content.ts';
import type { RegistryOptions } from './contract.ts';
import { makeGate } from './gate.ts';
import { startRegistry } from './registry.ts';

interface Received {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: Uint8Array;
  /** Error code that ended the body, when it was not complete. */
  readonly broken?: string;
}

/** A GET that tells how the body ended. */
function get(url: string, headers: Record<string, string> = {}): Promise<Received> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { headers, agent: false }, (response) => {
      const chunks: Uint8Array[] = [];
      const done = (broken?: string) =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks),
          ...(broken === undefined ? {} : { broken }),
        });
      response.on('data', (chunk: Uint8Array) => chunks.push(chunk));
      response.on('end', () => done());
      for (const emitter of [response, sent])
        emitter.on('error', (error: NodeJS.ErrnoException) => done(error.code ?? error.message));
    });
    // Once there is an answer, the promise has been settled by what became of its body.
    sent.on('error', (error) => setImmediate(reject, error));
    sent.end();
  });
}

async function withBlob(options: RegistryOptions = {}) {
  const registry = await startRegistry(options);
  const blob = registry.putBlob('o/r', seededBytes('blob', 300_000));
  return { registry, blob, url: `${registry.url}/v2/o/r/blobs/${blob.digest}` };
}

test('seededBytes() gives the same bytes for the same seed', (t) => {
  t.deepEqual(seededBytes('a', 100), seededBytes('a', 100));
  t.notDeepEqual(seededBytes('a', 100), seededBytes('b', 100));
  t.is(
    digestBytes(seededBytes('a', 100)),
    'sha256:6770a6cb58cb7e23b57e332f395c2992942f069313684f38fbe747d20c36a7fc',
  );
});

test('a multi-platform image is served with its own media types and digests', async (t) => {
  const registry = await startRegistry();
  const multi = registry.putMultiImage(
    { repository: 'o/r', tag: 'v1', seed: 's', flavour: 'docker', algorithm: 'sha512' },
    ['linux/amd64', 'linux/arm64/v8'],
  );
  const index = await get(`${registry.url}/v2/o/r/manifests/v1`);
  t.is(index.headers['content-type'], mediaTypesOf('docker').index);
  t.is(index.headers['docker-content-digest'], multi.index.digest);
  t.is(digestBytes(index.body, 'sha512'), multi.index.digest);
  const child = multi.images[1]?.manifest.digest;
  t.is((await get(`${registry.url}/v2/o/r/manifests/${child}`)).status, 200);
  t.is(registry.requests.length, 2);
  await registry.close();
});

test('ranges are answered with 206 and past the end with 416', async (t) => {
  const { registry, blob, url } = await withBlob();
  const part = await get(url, { range: 'bytes=10-19' });
  t.is(part.status, 206);
  t.is(part.headers['content-range'], 'bytes 10-19/300000');
  t.deepEqual(part.body, Buffer.from(blob.bytes.subarray(10, 20)));
  t.deepEqual((await get(url, { range: 'bytes=-5' })).body, Buffer.from(blob.bytes.subarray(-5)));
  t.is((await get(url, { range: 'bytes=300000-' })).status, 416);
  await registry.close();
});

test('a Bearer registry issues tokens by GET and by POST and refuses what a user may not see', async (t) => {
  const registry = await startRegistry({
    authorization: {
      kind: 'bearer',
      tokenServer: 'other',
      anonymous: ['public'],
      users: { ann: { password: 'pw', repositories: ['private'] } },
    },
  });
  const image = registry.putImage({ repository: 'private', seed: 'p', tag: 'v' });
  registry.putImage({ repository: 'public', seed: 'q', tag: 'v' });
  const refused = await get(`${registry.url}/v2/private/manifests/v`);
  t.is(refused.status, 401);
  const challenge = String(refused.headers['www-authenticate']);
  const realm = /realm="([^"]+)"/.exec(challenge)?.[1] ?? '';
  t.false(realm.startsWith(registry.url));
  const scope = 'repository:private:pull';
  const basic = `Basic ${Buffer.from('ann:pw').toString('base64')}`;
  const byGet = await get(`${realm}?scope=${scope}`, { authorization: basic });
  const posted = await fetch(realm, {
    method: 'POST',
    body: new URLSearchParams({ grant_type: 'password', username: 'ann', password: 'pw', scope }),
  });
  const tokens = [
    JSON.parse(Buffer.from(byGet.body).toString()).token,
    (await posted.json()).token,
  ];
  for (const token of tokens) {
    const authorization = `Bearer ${token}`;
    const answer = await get(`${registry.url}/v2/private/manifests/v`, { authorization });
    t.deepEqual(answer.body, Buffer.from(image.manifest.bytes));
  }
  const anonymous = await get(`${realm}?scope=${scope}`);
  const authorization = `Bearer ${JSON.parse(Buffer.from(anonymous.body).toString()).token}`;
  t.is((await get(`${registry.url}/v2/private/manifests/v`, { authorization })).status, 403);
  t.is((await get(`${realm}?scope=${scope}`, { authorization: 'Basic eDp5' })).status, 401);
  await registry.close();
});

test('a Basic registry wants name and password', async (t) => {
  const registry = await startRegistry({
    authorization: { kind: 'basic', users: { ann: { password: 'pw' } } },
  });
  registry.putImage({ repository: 'r', seed: 'p', tag: 'v' });
  const url = `${registry.url}/v2/r/manifests/v`;
  t.is((await get(url)).headers['www-authenticate'], 'Basic realm="double"');
  const authorization = `Basic ${Buffer.from('ann:pw').toString('base64')}`;
  t.is((await get(url, { authorization })).status, 200);
  registry.authorization?.setRevoked('ann', true);
  t.is((await get(url, { authorization })).status, 401);
  await registry.close();
});

test('blobs are redirected to the other port, which records what came', async (t) => {
  const { registry, blob, url } = await withBlob({ cdn: true });
  const redirect = await get(url);
  t.is(redirect.status, 307);
  const answer = await get(String(redirect.headers['location']), {
    authorization: 'Bearer leaked',
  });
  t.is(digestBytes(answer.body), blob.digest);
  const logged = registry.requests.find((entry) => entry.role === 'cdn');
  t.is(logged?.headers.authorization, 'Bearer leaked');
  t.is(logged?.bytes, 300_000);
  await registry.close();
});

test('tags and referrers come in pages with Link', async (t) => {
  const registry = await startRegistry({ pageSize: 2 });
  const subject = registry.putImage({ repository: 'r', seed: 's', tag: 'c' }).manifest;
  for (const tag of ['a', 'b']) registry.tag('r', tag, subject.digest);
  for (const seed of ['1', '2', '3'])
    registry.putImage({ repository: 'r', seed, subject, artifactType: `type/${seed}` });
  const first = await get(`${registry.url}/v2/r/tags/list`);
  t.deepEqual(JSON.parse(Buffer.from(first.body).toString()), { name: 'r', tags: ['a', 'b'] });
  t.is(first.headers['link'], '</v2/r/tags/list?last=b&n=2>; rel="next"');
  const second = await get(`${registry.url}/v2/r/tags/list?last=b&n=2`);
  t.deepEqual(JSON.parse(Buffer.from(second.body).toString()).tags, ['c']);
  t.is(second.headers['link'], undefined);
  const url = `${registry.url}/v2/r/referrers/${subject.digest}`;
  const referrers = await get(url);
  t.is(JSON.parse(Buffer.from(referrers.body).toString()).manifests.length, 2);
  t.regex(String(referrers.headers['link']), /page=2/);
  const filtered = await get(`${url}?artifactType=type/3`);
  t.is(JSON.parse(Buffer.from(filtered.body).toString()).manifests.length, 1);
  t.is(filtered.headers['oci-filters-applied'], 'artifactType');
  await registry.close();
});

test('bodies end as the fault says', async (t) => {
  const { registry, blob, url } = await withBlob();
  const next = async (fault: Parameters<typeof registry.faults.add>[0]['fault']) => {
    registry.faults.add({ path: blob.digest, times: 1, fault });
    return await get(url);
  };
  const wrong = await next({ kind: 'wrong-bytes' });
  t.is(wrong.body.length, 300_000);
  t.not(digestBytes(wrong.body), blob.digest);
  const short = await next({ kind: 'too-few', after: 1000, framing: 'length' });
  t.deepEqual([short.body.length, short.headers['content-length']], [1000, '300000']);
  t.is(short.broken, 'ECONNRESET');
  const chunked = await next({ kind: 'too-few', after: 1000, framing: 'chunked' });
  t.deepEqual([chunked.body.length, chunked.headers['content-length']], [1000, undefined]);
  t.is(chunked.broken, undefined);
  const unsized = await next({ kind: 'no-length' });
  t.deepEqual([unsized.body.length, unsized.headers['content-length']], [300_000, undefined]);
  t.is((await next({ kind: 'too-many', extra: 7, framing: 'length' })).body.length, 300_007);
  t.is((await next({ kind: 'too-many', extra: 7, framing: 'chunked' })).body.length, 300_007);
  t.is((await next({ kind: 'reset', after: 5000 })).broken, 'ECONNRESET');
  await t.throwsAsync(next({ kind: 'reset', after: 0 }), { code: 'ECONNRESET' });
  t.is((await next({ kind: 'gzip' })).headers['content-encoding'], 'gzip');
  t.is(
    (await next({ kind: 'status', status: 429, retryAfterSeconds: 3 })).headers['retry-after'],
    '3',
  );
  t.is((await next({ kind: 'redirect-loop' })).status, 307);
  t.is((await next({ kind: 'drip', bytesPerSecond: 3_000_000 })).body.length, 300_000);
  t.is(digestBytes((await get(url)).body), blob.digest);
  await registry.close();
});

test('range faults answer with other bytes or with all', async (t) => {
  const { registry, blob, url } = await withBlob();
  registry.faults.add({ path: blob.digest, times: 1, fault: { kind: 'wrong-range', shift: 100 } });
  const shifted = await get(url, { range: 'bytes=1000-' });
  t.is(shifted.headers['content-range'], 'bytes 1100-299999/300000');
  registry.faults.add({ path: blob.digest, fault: { kind: 'ignore-range' } });
  const whole = await get(url, { range: 'bytes=1000-' });
  t.deepEqual([whole.status, whole.body.length], [200, 300_000]);
  t.is(whole.headers['content-range'], undefined);
  await registry.close();
});

test('a held body goes on when it is told to', async (t) => {
  const { registry, blob, url } = await withBlob();
  const gate = makeGate();
  registry.faults.add({
    path: blob.digest,
    fault: { kind: 'hold', after: 1000, until: gate.opened },
  });
  const answer = get(url);
  await registry.waitUntil(() => registry.bytesSent(blob.digest) === 1000);
  gate.open();
  t.is(digestBytes((await answer).body), blob.digest);
  await registry.close();
});

test('rules are skipped and used up as they say', async (t) => {
  const { registry, url } = await withBlob();
  registry.faults.add({ path: /blobs/, skip: 1, times: 1, fault: { kind: 'status', status: 503 } });
  const statuses: number[] = [];
  for (let count = 0; count < 3; count += 1) statuses.push((await get(url)).status);
  t.deepEqual(statuses, [200, 503, 200]);
  await registry.close();
});

test('refuse() closes the port and restore() opens the same one', async (t) => {
  const { registry, url } = await withBlob();
  await registry.refuse();
  await t.throwsAsync(get(url), { code: 'ECONNREFUSED' });
  await registry.restore();
  t.is((await get(url)).status, 200);
  await registry.close();
});
