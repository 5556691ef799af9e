// The pull side of the specification, and answers that are not what was asked for.

import test from 'ava';
import { parseDigest } from '../../src/oci/digest.ts';
import { MANIFEST_MEDIA_TYPES } from '../../src/oci/media-type.ts';
import { parseManifestReference } from '../../src/oci/reference.ts';
import { seededBytes } from '../upstream-double/content.ts';
import type { Fault } from '../upstream-double/fault.ts';
import {
  digestOf,
  LATEST,
  putImage,
  REPOSITORY,
  readAll,
  rejects,
  startUpstream,
} from './open-test-upstream.ts';

const ABSENT = parseDigest(`sha256:${'0'.repeat(64)}`);

test('headManifest() gives digest, media type and size', async (t) => {
  const { registry, upstream } = await startUpstream(t);
  const { manifest } = putImage(registry);
  t.deepEqual(await upstream.headManifest(REPOSITORY, LATEST, {}), {
    digest: digestOf(manifest),
    mediaType: manifest.mediaType,
    size: manifest.bytes.length,
  });
  const [request] = registry.requests;
  t.is(request?.method, 'HEAD');
  t.is(request?.path, '/v2/o/r/manifests/latest');
});

test('headManifest() leaves out a digest that is none', async (t) => {
  const { registry, upstream } = await startUpstream(t);
  putImage(registry);
  registry.faults.add({ path: 'manifests', fault: { kind: 'other-digest', digest: 'sha256:x' } });
  t.is((await upstream.headManifest(REPOSITORY, LATEST, {})).digest, undefined);
});

test('getManifest() gives bytes, media type and digest, and asks for every type', async (t) => {
  const { registry, upstream } = await startUpstream(t);
  const { manifest } = putImage(registry);
  const received = await upstream.getManifest(REPOSITORY, LATEST, {});
  t.deepEqual(Buffer.from(received.bytes), Buffer.from(manifest.bytes));
  t.is(received.mediaType, manifest.mediaType);
  t.is(received.digest, digestOf(manifest));
  const [request] = registry.requests;
  t.is(request?.headers.accept, MANIFEST_MEDIA_TYPES.join(', '));
  t.is(request?.headers['accept-encoding'], 'identity');
  t.is(request?.headers['user-agent'], 'mica/0.1.0');
});

for (const framing of ['length', 'chunked'] as const) {
  test(`getManifest() refuses more than 4 MiB under ${framing} framing`, async (t) => {
    const { registry, upstream } = await startUpstream(t);
    putImage(registry);
    const fault: Fault = { kind: 'too-many', extra: 4 * 1024 * 1024, framing };
    registry.faults.add({ path: 'manifests', fault });
    await rejects(t, 'too-large', upstream.getManifest(REPOSITORY, LATEST, {}));
  });
}

test('openBlob() gives all bytes and the size', async (t) => {
  const { registry, upstream } = await startUpstream(t);
  const { digest, bytes } = putImage(registry, 3_000_000);
  const blob = await upstream.openBlob(REPOSITORY, digest, 0, 0, {});
  t.is(blob.start, 0);
  t.is(blob.size, bytes.length);
  t.is(Buffer.compare(await readAll(blob), bytes), 0);
  t.is(registry.requests[0]?.headers.range, undefined);
  t.is(upstream.status().bytesReceived, bytes.length);
});

test('openBlob() continues at a position', async (t) => {
  const { registry, upstream } = await startUpstream(t);
  const { digest, bytes } = putImage(registry, 100_000);
  const blob = await upstream.openBlob(REPOSITORY, digest, 40_000, 0, {});
  t.is(blob.start, 40_000);
  t.is(blob.size, bytes.length);
  t.is(Buffer.compare(await readAll(blob), bytes.subarray(40_000)), 0);
  t.is(registry.requests[0]?.headers.range, 'bytes=40000-');
});

test('openBlob() starts at 0 when the registry ignores the range', async (t) => {
  const { registry, upstream } = await startUpstream(t, { registry: { ranges: false } });
  const { digest, bytes } = putImage(registry, 5000);
  const blob = await upstream.openBlob(REPOSITORY, digest, 4000, 0, {});
  t.is(blob.start, 0);
  t.is(Buffer.compare(await readAll(blob), bytes), 0);
});

test('openBlob() tells a position past the end apart', async (t) => {
  const { registry, upstream } = await startUpstream(t);
  const { digest } = putImage(registry, 5000);
  await rejects(t, 'out-of-range', upstream.openBlob(REPOSITORY, digest, 5000, 0, {}));
});

const WRONG: readonly (readonly [title: string, fault: Fault, start: number])[] = [
  ['an HTML page', { kind: 'html' }, 0],
  ['gzip that nobody asked for', { kind: 'gzip' }, 0],
  ['other bytes than asked for', { kind: 'wrong-range', shift: 50 }, 100],
  ['a part of a whole', { kind: 'wrong-range', shift: 50 }, 0],
  ['a redirect loop', { kind: 'redirect-loop' }, 0],
  ['no bytes', { kind: 'answer', status: 200 }, 0],
  ['204', { kind: 'answer', status: 204 }, 0],
  ['a redirect without a target', { kind: 'answer', status: 307 }, 0],
  [
    '206 without Content-Range',
    { kind: 'answer', status: 206, headers: { 'content-type': 'multipart/byteranges' } },
    100,
  ],
];
for (const [title, fault, start] of WRONG) {
  test(`openBlob() refuses ${title}, and does not try again`, async (t) => {
    const { registry, upstream } = await startUpstream(t);
    const { digest } = putImage(registry);
    registry.faults.add({ path: 'blobs', fault });
    await rejects(t, 'invalid', upstream.openBlob(REPOSITORY, digest, start, 0, {}));
    t.is(registry.count('blobs'), 1);
  });
}

const BREAKS: readonly (readonly [title: string, fault: Fault])[] = [
  ['is reset', { kind: 'reset', after: 200_000 }],
  ['stalls', { kind: 'stall', after: 200_000 }],
  ['ends short', { kind: 'too-few', after: 200_000, framing: 'length' }],
];
for (const [title, fault] of BREAKS) {
  test(`openBlob() gives the bytes before the break when a body ${title}`, async (t) => {
    const { registry, upstream } = await startUpstream(t, { config: { bodyTimeoutMs: 150 } });
    const { digest, bytes } = putImage(registry, 1_000_000);
    registry.faults.add({ path: 'blobs', fault });
    const blob = await upstream.openBlob(REPOSITORY, digest, 0, 0, {});
    const received: Uint8Array[] = [];
    const reading = async () => {
      for await (const chunk of blob.body) received.push(chunk);
    };
    await rejects(t, 'transport', reading());
    const got = Buffer.concat(received);
    if (fault.kind !== 'reset') t.is(got.length, 200_000);
    t.is(Buffer.compare(got, bytes.subarray(0, got.length)), 0);
    t.is(upstream.status().failures, 1);
    t.is(registry.count('blobs'), 1);
  });
}

test('openBlob() notices a chunked part that ends before the size it named', async (t) => {
  const { registry, upstream } = await startUpstream(t);
  const { digest } = putImage(registry, 10_000);
  const fault: Fault = { kind: 'too-few', after: 100, framing: 'chunked' };
  registry.faults.add({ path: 'blobs', fault });
  const blob = await upstream.openBlob(REPOSITORY, digest, 5000, 0, {});
  await rejects(t, 'transport', readAll(blob));
});

test('openBlob() reads no further ahead than a little when nobody takes the bytes', async (t) => {
  const { registry, upstream } = await startUpstream(t);
  const blob = registry.putBlob(REPOSITORY, seededBytes('large', 64 * 1024 * 1024));
  const received = await upstream.openBlob(REPOSITORY, digestOf(blob), 0, 0, {});
  const chunks = received.body[Symbol.asyncIterator]();
  await chunks.next();
  // The body stays unread while another request makes the round trip.
  await upstream.headBlob(REPOSITORY, digestOf(blob), {});
  t.true(upstream.status().bytesReceived < 4 * 1024 * 1024);
  received.cancel();
  received.cancel();
  await t.throwsAsync(async () => {
    for (;;) if ((await chunks.next()).done === true) throw new Error('ended');
  });
});

test('openBlob() ends the transfer when the reader leaves', async (t) => {
  const { registry, upstream } = await startUpstream(t);
  const content = registry.putBlob(REPOSITORY, seededBytes('large', 16 * 1024 * 1024));
  const blob = await upstream.openBlob(REPOSITORY, digestOf(content), 0, 0, {});
  for await (const chunk of blob.body) if (chunk.length > 0) break;
  await registry.waitUntil(() => registry.requests[0]?.ended === true);
  t.true(registry.bytesSent('blobs') < content.bytes.length);
});

test('openBlob() ends the body when its signal is aborted', async (t) => {
  const { registry, upstream } = await startUpstream(t);
  const { digest } = putImage(registry, 1_000_000);
  registry.faults.add({ path: 'blobs', fault: { kind: 'stall', after: 1000 } });
  const controller = new AbortController();
  const options = { signal: controller.signal };
  const blob = await upstream.openBlob(REPOSITORY, digest, 0, 0, options);
  const chunks = blob.body[Symbol.asyncIterator]();
  t.true((await chunks.next()).value?.length === 1000);
  controller.abort(new Error('enough'));
  await rejects(t, 'transport', chunks.next());
});

test('openBlob() gives no bytes when the digest is that of none', async (t) => {
  const { registry, upstream } = await startUpstream(t);
  const empty = registry.putBlob(REPOSITORY, new Uint8Array(0));
  const blob = await upstream.openBlob(REPOSITORY, digestOf(empty), 0, 0, {});
  t.is(blob.size, 0);
  t.is((await readAll(blob)).length, 0);
});

test('headBlob() gives the size, also behind a redirect', async (t) => {
  const { registry, upstream } = await startUpstream(t, { registry: { cdn: true } });
  const { digest, bytes } = putImage(registry, 1234);
  t.is(await upstream.headBlob(REPOSITORY, digest, {}), bytes.length);
});

test('listTags() gives a page and the query of the next', async (t) => {
  const { registry, upstream } = await startUpstream(t, { registry: { pageSize: 2 } });
  const { manifest } = putImage(registry);
  for (const tag of ['a', 'b', 'c']) registry.tag(REPOSITORY, tag, manifest.digest);
  const page = await upstream.listTags(REPOSITORY, new URLSearchParams({ n: '2' }), {});
  t.is(page.mediaType, 'application/json');
  t.deepEqual(JSON.parse(new TextDecoder().decode(page.bytes)).tags, ['a', 'b']);
  t.is(page.next, 'last=b&n=2');
  const last = await upstream.listTags(REPOSITORY, new URLSearchParams(page.next), {});
  t.deepEqual(JSON.parse(new TextDecoder().decode(last.bytes)).tags, ['c', 'latest']);
  t.is(last.next, undefined);
});

test('getReferrers() passes on the filter that was applied', async (t) => {
  const { registry, upstream } = await startUpstream(t);
  const { manifest } = putImage(registry);
  const query = new URLSearchParams({ artifactType: 'application/x' });
  const list = await upstream.getReferrers(REPOSITORY, digestOf(manifest), query, {});
  t.is(list.filtersApplied, 'artifactType');
  t.is(list.mediaType, 'application/vnd.oci.image.index.v1+json');
});

test('getReferrers() tells a registry without referrers apart', async (t) => {
  const { upstream } = await startUpstream(t, { registry: { referrers: false } });
  const query = new URLSearchParams();
  await rejects(t, 'not-found', upstream.getReferrers(REPOSITORY, ABSENT, query, {}));
});

test('every method keeps the causes of a failure apart', async (t) => {
  const { registry, upstream } = await startUpstream(t);
  putImage(registry);
  const byDigest = parseManifestReference(ABSENT);
  await rejects(t, 'not-found', upstream.getManifest(REPOSITORY, byDigest, {}));
  await rejects(t, 'not-found', upstream.openBlob(REPOSITORY, ABSENT, 0, 0, {}));
  const statuses = [
    [401, 'unauthorized'],
    [403, 'denied'],
    [404, 'not-found'],
    [418, 'invalid'],
    [501, 'unavailable'],
    [429, 'rate-limited'],
  ] as const;
  for (const [status, kind] of statuses) {
    registry.faults.clear();
    registry.faults.add({ path: 'manifests', fault: { kind: 'status', status } });
    const error = await rejects(t, kind, upstream.headManifest(REPOSITORY, LATEST, {}));
    t.is(error.status, status);
  }
});
