// Range requests in all forms of RFC 9110 section 14, from the store and from a running fill.
// Source: https://www.rfc-editor.org/rfc/rfc9110#section-14

import test from 'ava';
import { type Content, seededBytes } from '../upstream-double/content.ts';
import { makeGate } from '../upstream-double/gate.ts';
import { collect, get, head, type Received } from './client.ts';
import { startMirror } from './mirror.ts';
import { parseMultipart } from './multipart.ts';

const mirror = await startMirror();
test.after.always(() => mirror.stop());

const SIZE = 200_000;

interface Case {
  readonly range: string;
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
}

const SINGLE: readonly Case[] = [
  { range: 'bytes=0-', start: 0, end: SIZE },
  { range: 'bytes=100000-', start: 100_000, end: SIZE },
  { range: 'bytes=0-0', start: 0, end: 1 },
  { range: 'bytes=5-99', start: 5, end: 100 },
  { range: 'bytes=199999-', start: SIZE - 1, end: SIZE },
  { range: 'bytes=199999-400000', start: SIZE - 1, end: SIZE },
  { range: 'bytes=0-18446744073709551615', start: 0, end: SIZE },
  { range: 'bytes=-1', start: SIZE - 1, end: SIZE },
  { range: 'bytes=-65536', start: SIZE - 65_536, end: SIZE },
  { range: 'bytes=-400000', start: 0, end: SIZE },
  { range: 'Bytes=5-99', start: 5, end: 100 },
];

const IGNORED = [
  'bytes=',
  'bytes=-',
  'bytes=a-b',
  'bytes=9-5',
  'bytes 0-5',
  'items=0-5',
  'bytes=0x0-0x5',
  'bytes=1.5-3',
  'bytes=--5',
  'bytes=+1-5',
  'bytes=0-5-9',
  'bytes=5-9;x',
];

const UNSATISFIABLE = ['bytes=200000-', 'bytes=200000-200001', 'bytes=99999999999-', 'bytes=-0'];

function putBlob(repository: string): { readonly blob: Content; readonly url: string } {
  const blob = mirror.upstream.putBlob(repository, seededBytes(repository, SIZE));
  return { blob, url: mirror.url(`/v2/${repository}/blobs/${blob.digest}`) };
}

function isPart(answer: Received, blob: Content, start: number, end: number): boolean {
  return (
    answer.status === 206 &&
    answer.complete &&
    answer.headers['content-range'] === `bytes ${start}-${end - 1}/${SIZE}` &&
    answer.headers['content-length'] === String(end - start) &&
    Buffer.compare(answer.body, blob.bytes.subarray(start, end)) === 0
  );
}

const stored = putBlob('ranges/stored');
test.before(async (t) => {
  t.is((await get(stored.url)).status, 200);
});

for (const { range, start, end } of SINGLE) {
  test(`GET with "${range}" gives bytes ${start} to ${end - 1} of a stored blob`, async (t) => {
    t.true(isPart(await get(stored.url, { range }), stored.blob, start, end));
  });
}

for (const range of IGNORED) {
  test(`GET with the invalid "${range}" gives the whole blob`, async (t) => {
    const answer = await get(stored.url, { range });
    t.is(answer.status, 200);
    t.is(answer.headers['content-range'], undefined);
    t.is(Buffer.compare(answer.body, stored.blob.bytes), 0);
  });
}

for (const range of UNSATISFIABLE) {
  test(`GET with "${range}" is 416 with the size`, async (t) => {
    const answer = await get(stored.url, { range });
    t.is(answer.status, 416);
    t.is(answer.headers['content-range'], `bytes */${SIZE}`);
  });
}

test('several ranges come as multipart/byteranges in the order asked for', async (t) => {
  const answer = await get(stored.url, { range: 'bytes=150000-150009, 5-99,-3' });
  t.is(answer.status, 206);
  t.is(answer.headers['content-length'], String(answer.body.length));
  t.is(answer.headers['content-range'], undefined);
  const parts = parseMultipart(String(answer.headers['content-type']), answer.body);
  t.deepEqual(
    parts.map((part) => part.contentRange),
    [`bytes 150000-150009/${SIZE}`, `bytes 5-99/${SIZE}`, `bytes 199997-199999/${SIZE}`],
  );
  for (const part of parts) {
    const expected = stored.blob.bytes.subarray(part.start, part.end);
    t.is(Buffer.compare(part.bytes, expected), 0);
    t.is(part.contentType, 'application/octet-stream');
  }
});

test('ranges past the end among several are left out', async (t) => {
  const answer = await get(stored.url, { range: 'bytes=0-4,900000-900001,10-14' });
  t.is(answer.status, 206);
  const parts = parseMultipart(String(answer.headers['content-type']), answer.body);
  t.deepEqual(
    parts.map((part) => part.start),
    [0, 10],
  );
  const none = await get(stored.url, { range: 'bytes=900000-,900001-' });
  t.is(none.status, 416);
});

test('a range list made to multiply the work is not obeyed part by part', async (t) => {
  const range = `bytes=${Array.from({ length: 500 }, () => '0-').join(',')}`;
  const answer = await get(stored.url, { range });
  t.true([200, 206, 400, 416].includes(answer.status), String(answer.status));
  t.true(answer.body.length <= 2 * SIZE);
});

test('If-Range with the current validator gives the part, with another the whole', async (t) => {
  const whole = await get(stored.url);
  const etag = whole.headers['etag'];
  if (etag !== undefined) {
    const same = await get(stored.url, { range: 'bytes=5-99', 'if-range': String(etag) });
    t.true(isPart(same, stored.blob, 5, 100));
  }
  for (const validator of ['"other"', 'W/"weak"', 'Wed, 21 Oct 2015 07:28:00 GMT']) {
    const other = await get(stored.url, { range: 'bytes=5-99', 'if-range': validator });
    t.is(other.status, 200, validator);
    t.is(other.body.length, SIZE);
  }
});

test('HEAD takes no notice of Range', async (t) => {
  const answer = await head(stored.url, { range: 'bytes=5-99' });
  t.is(answer.status, 200);
  t.is(answer.headers['content-length'], String(SIZE));
});

test('every form of range is served while the blob is still being filled', async (t) => {
  const { blob, url } = putBlob('ranges/filling');
  const gate = makeGate();
  mirror.upstream.faults.add({
    path: blob.digest,
    method: 'GET',
    fault: { kind: 'hold', after: 150_000, until: gate.opened },
  });
  const whole = get(url);
  await mirror.upstream.waitUntil(() => mirror.upstream.bytesSent(blob.digest) >= 150_000);
  // What has arrived can be had at once; the rest waits for the upstream.
  t.true(isPart(await get(url, { range: 'bytes=0-999' }), blob, 0, 1000));
  t.true(isPart(await get(url, { range: 'bytes=5-99' }), blob, 5, 100));
  t.is((await get(url, { range: 'bytes=200000-' })).status, 416);
  const waiting = SINGLE.map(({ range }) => get(url, { range }));
  const several = get(url, { range: 'bytes=0-9,199990-199999' });
  gate.open();
  for (const [position, answer] of (await Promise.all(waiting)).entries()) {
    const expected = SINGLE[position];
    if (expected !== undefined)
      t.true(isPart(answer, blob, expected.start, expected.end), expected.range);
  }
  const answer = await several;
  const parts = parseMultipart(String(answer.headers['content-type']), answer.body);
  t.deepEqual(
    parts.map((part) => part.bytes.length),
    [10, 10],
  );
  t.is(Buffer.compare((await whole).body, blob.bytes), 0);
  t.is(mirror.upstream.count(blob.digest, 'GET'), 1);
});

test('a range request on a cold blob starts one fill of the whole blob', async (t) => {
  const { blob, url } = putBlob('ranges/cold');
  t.true(isPart(await get(url, { range: 'bytes=100000-' }), blob, 100_000, SIZE));
  t.true(isPart(await get(url, { range: 'bytes=-10' }), blob, SIZE - 10, SIZE));
  t.is(Buffer.compare((await get(url)).body, blob.bytes), 0);
  t.is(mirror.upstream.count(blob.digest, 'GET'), 1);
});

test('parallel chunks of open-ended ranges that are closed early give the right bytes', async (t) => {
  const { request } = await import('undici');
  const { blob, url } = putBlob('ranges/parallel');
  const chunk = 20_000;
  const starts = Array.from({ length: SIZE / chunk }, (_, position) => position * chunk);
  const pieces = await Promise.all(
    starts.map(async (start) => {
      const answer = await request(url, { headers: { range: `bytes=${start}-` } });
      const chunks: Buffer[] = [];
      let length = 0;
      for await (const bytes of answer.body) {
        chunks.push(Buffer.from(bytes));
        length += bytes.length;
        if (length >= chunk) break;
      }
      return Buffer.concat(chunks).subarray(0, chunk);
    }),
  );
  t.is(Buffer.compare(Buffer.concat(pieces), blob.bytes), 0);
  t.is(mirror.upstream.count(blob.digest, 'GET'), 1);
  const rest = await collect(await request(url));
  t.is(Buffer.compare(rest.body, blob.bytes), 0);
});
