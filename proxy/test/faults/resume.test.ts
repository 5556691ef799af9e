// Upstream bodies that break: continued by Range, from another URL if need be, and checked as a whole.

import test from 'ava';
import { get } from '../http/client.ts';
import { startMirror } from '../http/mirror.ts';
import { startMica } from '../server-under-test.ts';
import { seededBytes } from '../upstream-double/content.ts';
import type { Fault } from '../upstream-double/fault.ts';
import { makeGate } from '../upstream-double/gate.ts';
import { startRegistry } from '../upstream-double/registry.ts';
import { checkAnswer, getWithMarks } from './outcome.ts';

const mirror = await startMirror({ spares: 16, upstream: { bodyTimeout: '2s' } });
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

for (const [title, kind] of [
  ['is reset', 'reset'],
  ['ends early', 'too-few'],
  ['stalls', 'stall'],
] as const) {
  test(`a body that ${title} is continued by one GET with Range, and the client sees all of it`, async (t) => {
    const { blob, url } = putBlob(`resume/${kind}`);
    const gate = makeGate();
    const fault: Fault =
      kind === 'too-few'
        ? { kind, after: BREAK, framing: 'length' }
        : { kind, after: BREAK, ...(kind === 'reset' ? { until: gate.opened } : {}) };
    mirror.upstream.faults.add({ path: blob.digest, method: 'GET', times: 1, fault });
    const others = Array.from({ length: 4 }, () => get(url));
    const first = getWithMarks(url, [{ length: BREAK, reached: gate.open }]);
    for (const answer of await Promise.all([first, ...others]))
      t.true(checkAnswer(t, answer, blob));
    const [whole, rest, ...more] = rangesOf(blob.digest);
    t.deepEqual([whole, more], [undefined, []]);
    const start = Number(/^bytes=(\d+)-$/.exec(String(rest))?.[1]);
    // What was received and not yet taken when the body broke may be asked for again.
    t.true(start > BREAK / 2 && start <= BREAK, String(rest));
    t.is(mirror.upstream.bytesSent(blob.digest), BREAK + SIZE - start);
    t.true(checkAnswer(t, await get(url), blob));
    t.is(rangesOf(blob.digest).length, 2);
  });
}

test('a body that breaks twice is continued twice', async (t) => {
  const { blob, url } = putBlob('resume/twice');
  const marks = [BREAK, 2 * BREAK].map((length) => {
    const gate = makeGate();
    mirror.upstream.faults.add({
      path: blob.digest,
      method: 'GET',
      times: 1,
      fault: { kind: 'reset', after: BREAK, until: gate.opened },
    });
    return { length, reached: gate.open };
  });
  t.true(checkAnswer(t, await getWithMarks(url, marks), blob));
  t.deepEqual(rangesOf(blob.digest), [undefined, `bytes=${BREAK}-`, `bytes=${2 * BREAK}-`]);
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

for (const [title, makeFault] of [
  ['refuses connections', undefined],
  ['answers 500', () => ({ kind: 'status', status: 500 })],
  ['resets before the header', () => ({ kind: 'reset', after: 0 })],
  ['breaks in the middle', (until) => ({ kind: 'reset', after: BREAK, until })],
  ['stalls in the middle', () => ({ kind: 'stall', after: BREAK })],
] as readonly (readonly [string, ((until: Promise<void>) => Fault) | undefined])[]) {
  test(`the second URL is used when the first one ${title}`, async (t) => {
    const [first, second] = [await startRegistry(), await startRegistry()];
    const gate = makeGate();
    const bytes = seededBytes(title, SIZE);
    const blob = first.putBlob('two/urls', bytes);
    second.putBlob('two/urls', bytes);
    for (const registry of [first, second])
      registry.putImage({ repository: 'two/urls', tag: 'v1', seed: title });
    if (makeFault === undefined) await first.refuse();
    else first.faults.add({ path: '/two/urls/blobs/', fault: makeFault(gate.opened) });
    const mica = await startMica({
      upstreams: { 'two.test': { url: [first.url, second.url], bodyTimeout: '2s' } },
    });
    t.teardown(async () => {
      await mica.stop();
      await first.close();
      await second.close();
    });
    const url = `${mica.url}/v2/two/urls/blobs/${blob.digest}`;
    const answer = await getWithMarks(url, [{ length: BREAK, reached: gate.open }]);
    t.true(checkAnswer(t, answer, blob));
    t.is((await get(`${mica.url}/v2/two/urls/manifests/v1`)).status, 200);
    const asked = second.requests.filter(
      ({ path, method }) => path.includes(blob.digest) && method === 'GET',
    );
    const range = title.endsWith('in the middle') ? `bytes=${BREAK}-` : undefined;
    t.deepEqual(
      asked.map(({ headers }) => headers.range),
      [range],
    );
  });
}
