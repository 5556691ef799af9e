// Fuzzed requests: whatever comes in, the answer is right or an error of the specification, the
// process lives in bounded memory, and the upstream is asked only for what can exist.
// MICA_TEST_FUZZ_SECONDS sets how long (300 for the long run), MICA_TEST_FUZZ_SEED repeats a run.

import { readFile } from 'node:fs/promises';
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { errorCode, get } from '../http/client.ts';
import { startMirror } from '../http/mirror.ts';
import { parseMultipart } from '../http/multipart.ts';
import { seededBytes } from '../upstream-double/content.ts';
import type { LoggedRequest } from '../upstream-double/contract.ts';
import { encodeText, message, mutate, mutations, path, query, range } from './arbitraries.ts';
import { type Exchange, exchange } from './exchange.ts';

const SECONDS = Number(process.env['MICA_TEST_FUZZ_SECONDS'] ?? 8);
const SEED = Number(process.env['MICA_TEST_FUZZ_SEED'] ?? (SECONDS > 60 ? Date.now() : 20_260_101));
/** Resident memory that the server may have after any number of bad requests, bytes. */
const MAX_MEMORY = 500 * 1024 * 1024;
const SIZE = 65_536;

const mirror = await startMirror({ upstreams: { 'docker.io': { url: 'http://127.0.0.1:9' } } });
test.after.always(() => mirror.stop());

const image = mirror.upstream.putImage({
  repository: 'a/b',
  tag: 'v1',
  seed: 'fuzz',
  layers: [SIZE],
});
const blob = image.layers[0] ?? image.config;
const BLOB_PATH = `/v2/a/b/blobs/${blob.digest}`;

const NAME = '[a-z0-9]+(?:(?:\\.|_|__|-+|/)[a-z0-9]+)*';
const DIGEST = '(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})';
const RIGHT_TARGET = new RegExp(
  `^/v2/${NAME}/(?:manifests/(?:\\w[\\w.-]{0,127}|${DIGEST})|blobs/${DIGEST}|(?:tags/list|referrers/${DIGEST})(?:\\?[!-~]*)?)$`,
);

/** Looks through what the upstream was asked, and forgets it. */
function checkUpstream(): void {
  for (const { method, path: target, headers } of mirror.upstream.requests.splice(
    0,
  ) as LoggedRequest[]) {
    if (method !== 'GET' && method !== 'HEAD') throw new Error(`upstream got ${method} ${target}`);
    if (target !== '/v2/' && !RIGHT_TARGET.test(target)) throw new Error(`upstream got ${target}`);
    if (headers.host !== mirror.upstream.host) throw new Error(`upstream got Host ${headers.host}`);
    if (headers.cookie !== undefined || headers.authorization !== undefined)
      throw new Error('upstream got what the client sent');
  }
  mirror.mica.forgetLog();
}

/** Fails on what no request may lead to. */
function checkAnswer(answer: Exchange): void {
  const { status, headers, body } = answer;
  // docker.io is down in this suite: 502 to 504 are right for a name there.
  const isUpstreamError = status >= 502 && status <= 504;
  if (status >= 500 && !isUpstreamError && status !== 505) throw new Error(`status ${status}`);
  if (headers.has('content-encoding')) throw new Error('an encoded answer');
  if (
    status >= 400 &&
    headers.get('content-type')?.startsWith('application/json') === true &&
    body.length > 0
  )
    errorCode({ status, headers: {}, body, complete: true, trailers: {} });
}

async function fuzz(t: ExecutionContext, property: fc.IAsyncProperty<unknown>): Promise<void> {
  t.timeout((SECONDS + 120) * 1000);
  await fc.assert(property, {
    seed: SEED,
    numRuns: Number.MAX_SAFE_INTEGER,
    interruptAfterTimeLimit: SECONDS * 1000,
    markInterruptAsFailure: false,
    includeErrorInReport: true,
  });
  t.is((await get(mirror.url('/v2/'))).status, 200);
  const status = await readFile(`/proc/${mirror.mica.pid}/status`, 'utf8').catch(() => '');
  const memory = Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
  t.true(memory < MAX_MEMORY, `${memory} bytes`);
  t.is(mirror.mica.output(), '');
}

test('any path and query has an answer of the specification', async (t) => {
  const property = fc.asyncProperty(path, query, async (target, search) => {
    const line = `${target}${search}`.replaceAll(/[^!-~]/gu, encodeText);
    const text = `GET ${line} HTTP/1.1\r\nHost: mirror\r\nConnection: close\r\n\r\n`;
    const answer = await exchange(mirror.mica.url, Buffer.from(text, 'latin1'), true);
    if (answer.status === 0 || !answer.complete) throw new Error(`no answer to ${line}`);
    if (line.startsWith('/v2/') && answer.status >= 400)
      errorCode({ status: 0, headers: {}, body: answer.body, complete: true, trailers: {} });
    checkAnswer(answer);
    checkUpstream();
  });
  await fuzz(t, property);
});

test('any Range gives the bytes it names, all of them, or 416', async (t) => {
  t.is((await get(mirror.url(BLOB_PATH))).status, 200);
  const property = fc.asyncProperty(range, async (text) => {
    const head = `GET ${BLOB_PATH} HTTP/1.1\r\nHost: mirror\r\nConnection: close\r\nRange: ${text}\r\n\r\n`;
    const answer = await exchange(mirror.mica.url, Buffer.from(head, 'latin1'), true);
    checkAnswer(answer);
    checkRange(answer);
    checkUpstream();
  });
  await fuzz(t, property);
});

/** Compares what came with the blob. */
function checkRange({ status, headers, body, complete }: Exchange): void {
  if (!complete) throw new Error('a body that is cut');
  if (status === 416) {
    if (headers.get('content-range') !== `bytes */${SIZE}`) throw new Error('416 without size');
    return;
  }
  if (status === 400) return;
  const contentType = headers.get('content-type') ?? '';
  const contentRange = headers.get('content-range') ?? `bytes 0-${SIZE - 1}/${SIZE}`;
  const parts =
    status === 206 && contentType.startsWith('multipart/')
      ? parseMultipart(contentType, body)
      : [{ contentRange, bytes: body }];
  for (const { contentRange: text, bytes } of parts) {
    const [, start, last] = /^bytes (\d+)-(\d+)\/65536$/.exec(text) ?? [];
    const expected = blob.bytes.subarray(Number(start), Number(last) + 1);
    if (Buffer.compare(bytes, expected) !== 0) throw new Error(`wrong bytes for ${text}`);
  }
}

test('any message leaves the server well', async (t) => {
  const property = fc.asyncProperty(message, async (text) => {
    checkAnswer(await exchange(mirror.mica.url, Buffer.from(text), false));
    checkUpstream();
  });
  await fuzz(t, property);
});

test('any change to the bytes of a right request leaves the server well', async (t) => {
  const right = [
    `GET /v2/a/b/manifests/v1?ns=up.test HTTP/1.1\r\nHost: mirror\r\nAccept: */*\r\nConnection: close\r\n\r\n`,
    `GET ${BLOB_PATH} HTTP/1.1\r\nHost: mirror\r\nRange: bytes=0-9,20-\r\nConnection: close\r\n\r\n`,
    `HEAD ${BLOB_PATH} HTTP/1.1\r\nHost: mirror\r\nContent-Length: 0\r\n\r\n`,
  ].map((text) => Buffer.from(text));
  const property = fc.asyncProperty(
    fc.constantFrom(...right),
    mutations,
    async (request, changes) => {
      checkAnswer(await exchange(mirror.mica.url, mutate(request, changes), false));
      checkUpstream();
    },
  );
  await fuzz(t, property);
});

test('many half-open and silent connections do not keep others out', async (t) => {
  const silent = Array.from({ length: 200 }, (_, number) =>
    exchange(mirror.mica.url, seededBytes(`silent/${number}`, number % 7), false),
  );
  t.is((await get(mirror.url('/v2/'))).status, 200);
  await Promise.all(silent);
  t.is((await get(mirror.url(BLOB_PATH))).status, 200);
});
