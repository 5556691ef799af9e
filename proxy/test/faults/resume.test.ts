// Upstream bodies that break: continued by Range, from another URL if need be, and checked as a whole.

import test from 'ava';
import { get } from '../http/client.ts';
import { startMirror } from '../http/mirror.ts';
import { startMica } from '../server-under-test.ts';
import { digestBytes, seededBytes } from '../upstream-double/content.ts';
import { startRegistry } from '../upstream-double/registry.ts';
import { checkAnswer } from './outcome.ts';

const mirror = await startMirror({ spares: 16, upstream: { bodyTimeout: '500ms' } });
test.after.always(() => mirror.stop());

const SIZE = 2_000_000;
const BREAK = 700_000;

function putBlob(repository: string) {
  const blob = mirror.upstream.putBlob(repository, seededBytes(repository, SIZE));
  const url = mirror.url(`/v2/${mirror.spare()}/${repository}/blobs/${blob.digest}`);
  return { blob, url };
}

/** The Range headers of the GETs of a blob, in order; undefined for the whole. */
function rangesOf(digest: string): (string | undefined)[] {
  return mirror.upstream.requests
    .filter(({ path, method }) => path.includes(digest) && method === 'GET')
    .map(({ headers }) => headers.range);
}

function startOf(range: string | undefined): number {
  const match = /^bytes=(\d+)-$/.exec(range ?? '');
  return match === null ? Number.NaN : Number(match[1]);
}

for (const [title, fault] of [
  ['is reset', { kind: 'reset', after: BREAK }],
  ['ends early', { kind: 'too-few', after: BREAK, framing: 'length' }],
  ['stalls', { kind: 'stall', after: BREAK }],
] as const) {
  test(`a body that ${title} is continued by one GET with Range, and the client sees all of it`, async (t) => {
    const { blob, url } = putBlob(`resume/${fault.kind}`);
    mirror.upstream.faults.add({ path: blob.digest, method: 'GET', times: 1, fault });
    const answers = await Promise.all(Array.from({ length: 5 }, () => get(url)));
    for (const answer of answers) t.true(checkAnswer(t, answer, blob));
    const ranges = rangesOf(blob.digest);
    t.is(ranges.length, 2);
    t.is(ranges[0], undefined);
    const start = startOf(ranges[1]);
    t.true(start > 0 && start <= BREAK, String(ranges[1]));
    t.is(mirror.upstream.bytesSent(blob.digest), BREAK + SIZE - start);
    t.true(checkAnswer(t, await get(url), blob));
    t.is(rangesOf(blob.digest).length, 2);
  });
}

test('a body that breaks twice is continued twice', async (t) => {
  const { blob, url } = putBlob('resume/twice');
  mirror.upstream.faults.add({
    path: blob.digest,
    method: 'GET',
    times: 2,
    fault: { kind: 'reset', after: BREAK },
  });
  t.true(checkAnswer(t, await get(url), blob));
  const ranges = rangesOf(blob.digest);
  t.is(ranges.length, 3);
  t.true(startOf(ranges[2]) > startOf(ranges[1]));
});

test('an upstream that ignores the Range of a continuation gives no wrong bytes', async (t) => {
  const { blob, url } = putBlob('resume/ignored');
  mirror.upstream.faults.add({
    path: blob.digest,
    method: 'GET',
    times: 1,
    fault: { kind: 'reset', after: BREAK },
  });
  mirror.upstream.faults.add({ path: blob.digest, method: 'GET', fault: { kind: 'ignore-range' } });
  checkAnswer(t, await get(url), blob);
  t.true(checkAnswer(t, await get(url), blob));
});

for (const [title, fault] of [
  ['other bytes under 206', { kind: 'wrong-range', shift: -1000 }],
  ['one wrong byte', { kind: 'wrong-bytes' }],
  ['too many bytes', { kind: 'too-many', extra: 9, framing: 'length' }],
  ['a page', { kind: 'html' }],
  ['416', { kind: 'status', status: 416 }],
  ['404', { kind: 'status', status: 404 }],
  ['403', { kind: 'status', status: 403 }],
] as const) {
  test(`a continuation that is ${title} never makes a complete wrong body`, async (t) => {
    const { blob, url } = putBlob(`resume/bad/${title.replaceAll(' ', '-').toLowerCase()}`);
    const heal = [{ times: 1, fault: { kind: 'reset', after: BREAK } as const }, { fault }].map(
      (rule) => mirror.upstream.faults.add({ path: blob.digest, method: 'GET', ...rule }),
    );
    t.false(checkAnswer(t, await get(url), blob));
    for (const undo of heal) undo();
    t.true(checkAnswer(t, await get(url), blob));
  });
}

test('a wrong byte before the break is found although the rest is right', async (t) => {
  const { blob, url } = putBlob('resume/poisoned');
  const poisoned = Uint8Array.from(blob.bytes);
  poisoned[10] = (poisoned[10] ?? 0) ^ 0xff;
  mirror.upstream.faults.add({
    path: blob.digest,
    method: 'GET',
    times: 1,
    // Short of its Content-Length: a body that breaks.
    fault: {
      kind: 'answer',
      status: 206,
      headers: { 'content-range': `bytes 0-${BREAK - 1}/${SIZE}` },
      body: poisoned.subarray(0, BREAK),
    },
  });
  checkAnswer(t, await get(url), blob);
  t.true(checkAnswer(t, await get(url), blob));
});

for (const [title, fault] of [
  ['refuses connections', undefined],
  ['answers 500', { kind: 'status', status: 500 }],
  ['resets before the header', { kind: 'reset', after: 0 }],
  ['breaks in the middle', { kind: 'reset', after: BREAK }],
  ['stalls in the middle', { kind: 'stall', after: BREAK }],
] as const) {
  test(`the second URL is used when the first one ${title}`, async (t) => {
    const [first, second] = [await startRegistry(), await startRegistry()];
    const bytes = seededBytes(title, SIZE);
    const blob = first.putBlob('two/urls', bytes);
    second.putBlob('two/urls', bytes);
    const image = second.putImage({ repository: 'two/urls', tag: 'v1', seed: title });
    first.putImage({ repository: 'two/urls', tag: 'v1', seed: title });
    if (fault === undefined) await first.refuse();
    else first.faults.add({ path: '/two/urls/', fault });
    const mica = await startMica({
      upstreams: { 'two.test': { url: [first.url, second.url], bodyTimeout: '500ms' } },
    });
    t.teardown(async () => {
      await mica.stop();
      await first.close();
      await second.close();
    });
    const answer = await get(`${mica.url}/v2/two/urls/blobs/${blob.digest}`);
    t.true(checkAnswer(t, answer, blob));
    if (fault?.kind !== 'stall' || fault.after !== BREAK) {
      const manifest = await get(`${mica.url}/v2/two/urls/manifests/v1`);
      t.is(digestBytes(manifest.body), image.manifest.digest);
    }
    const sent = second.requests.filter(
      ({ path, method }) => path.includes(blob.digest) && method === 'GET',
    );
    t.is(sent.length, 1);
    if (fault !== undefined && 'after' in fault && fault.after === BREAK)
      t.true(startOf(sent[0]?.headers.range) > 0);
  });
}
