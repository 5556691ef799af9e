import test from 'ava';
import { ClientCredentials } from '../../src/access/client-credentials.ts';
import { ShortBlobError } from '../../src/store/blob-store.ts';
import { UpstreamError, type UpstreamErrorKind } from '../../src/upstream/upstream.ts';
import { digestOfBytes } from '../doubles/fake-mirror.ts';
import { silentLog, testApp } from '../doubles/test-app.ts';

const PATH = '/v2/o/r/manifests/v1';

for (const [kind, status, code, retryAfter] of [
  ['unauthorized', 401, 'UNAUTHORIZED', null],
  ['denied', 403, 'DENIED', null],
  ['not-found', 404, 'MANIFEST_UNKNOWN', null],
  ['rate-limited', 429, 'TOOMANYREQUESTS', '7'],
  ['unavailable', 503, 'TOOMANYREQUESTS', '7'],
  ['transport', 502, 'TOOMANYREQUESTS', '10'],
  ['too-large', 400, 'MANIFEST_INVALID', null],
  ['refused', 502, 'TOOMANYREQUESTS', '10'],
  ['invalid', 502, 'TOOMANYREQUESTS', '10'],
  ['out-of-range', 502, 'TOOMANYREQUESTS', '10'],
] as const satisfies readonly (readonly [UpstreamErrorKind, number, string, string | null])[]) {
  test(`an upstream's ${kind} answers ${status} ${code}`, async (t) => {
    const { app, mirror, ended } = testApp();
    mirror.error = new UpstreamError('docker.io', kind, 'why', { retryAfterSeconds: 6.5 });
    const response = await app.request(PATH);
    t.is(response.status, status);
    t.is(response.headers.get('retry-after'), retryAfter);
    t.is(response.headers.get('www-authenticate'), null);
    t.deepEqual(await response.json(), { errors: [{ code, message: 'docker.io: why' }] });
    t.is(ended[0]?.error, 'docker.io: why');
  });
}

test('an upstream that took too long answers 504', async (t) => {
  const { app, mirror } = testApp();
  const cause = Object.assign(new Error('slow'), { code: 'UND_ERR_HEADERS_TIMEOUT' });
  mirror.error = new UpstreamError('docker.io', 'transport', 'no answer', { cause });
  t.is((await app.request(PATH)).status, 504);
});

test('a blob that cannot be had whole answers 502', async (t) => {
  const { app, mirror } = testApp();
  const digest = digestOfBytes(new Uint8Array());
  mirror.error = new ShortBlobError(digest, 'gone');
  t.is((await app.request(`/v2/o/r/blobs/${digest}`)).status, 502);
});

test('an unexpected error answers 500 without its text and is logged once', async (t) => {
  const logged: object[] = [];
  const log = { ...silentLog, error: (fields: object) => logged.push(fields) };
  const { app, mirror } = testApp({ log });
  mirror.error = Object.assign(new Error('open /secret/path'), { code: 'EIO' });
  const response = await app.request(PATH);
  t.is(response.status, 500);
  t.false((await response.text()).includes('secret'));
  t.is(logged.length, 1);
});

test('HEAD answers an error without a body', async (t) => {
  const { app } = testApp();
  const response = await app.request(PATH, { method: 'HEAD' });
  t.is(response.status, 404);
  t.is(await response.text(), '');
});

test('credentials are passed on and asked for only where that is configured', async (t) => {
  const { app, mirror } = testApp({ credentials: new ClientCredentials(new Uint8Array(32)) });
  mirror.error = new UpstreamError('private.test', 'unauthorized', 'log in');
  const headers = { authorization: `Basic ${btoa('ada:secret')}` };
  const response = await app.request('/v2/private.test/o/r/manifests/v1', { headers });
  t.is(response.status, 401);
  t.regex(response.headers.get('www-authenticate') ?? '', /^Basic /);
  t.like(mirror.asked[0]?.viewer.credential, { username: 'ada', password: 'secret' });
  await app.request('/v2/ghcr.io/o/r/manifests/v1', { headers });
  t.deepEqual(mirror.asked[1]?.viewer, {});
  const malformed = { authorization: 'Basic !' };
  t.is((await app.request(PATH, { headers: malformed })).status, 401);
});

test('what an upstream denies to nobody in particular asks to log in where that helps', async (t) => {
  const { app, mirror } = testApp();
  mirror.error = new UpstreamError('private.test', 'denied', 'not you');
  const path = '/v2/private.test/o/r/manifests/v1';
  const anonymous = await app.request(path);
  t.is(anonymous.status, 401);
  t.regex(anonymous.headers.get('www-authenticate') ?? '', /^Basic /);
  const headers = { authorization: `Basic ${btoa('ada:secret')}` };
  t.is((await app.request(path, { headers })).status, 403);
  t.is((await app.request(PATH)).status, 403);
});

test('where clients have to log in, all of /v2/ asks for it and passwords stay here', async (t) => {
  const { app, mirror } = testApp({
    credentials: new ClientCredentials(new Uint8Array(32)),
    passwords: { check: (name, word) => Promise.resolve(name === 'ada' && word === 'right') },
  });
  for (const authorization of [undefined, `Basic ${btoa('ada:wrong')}`, 'Bearer x', 'Basic !']) {
    const headers: Record<string, string> = authorization === undefined ? {} : { authorization };
    const response = await app.request('/v2/', { headers });
    t.is(response.status, 401);
    t.regex(response.headers.get('www-authenticate') ?? '', /^Basic /);
  }
  const headers = { authorization: `Basic ${btoa('ada:right')}` };
  t.is((await app.request('/v2/', { headers })).status, 200);
  await app.request('/v2/private.test/o/r/manifests/v1', { headers });
  t.deepEqual(mirror.asked[0]?.viewer, {});
});

test('the log has one line for a request, without its query', async (t) => {
  const lines: unknown[] = [];
  const log = { ...silentLog, info: (fields: object) => lines.push(fields) };
  const { app } = testApp({ log });
  await app.request(`${PATH}?ns=ghcr.io&token=secret`, { headers: { 'user-agent': 'test/1' } });
  t.is(lines.length, 1);
  t.like(lines[0], {
    client: '192.0.2.1',
    method: 'GET',
    path: PATH,
    status: 404,
    upstream: 'ghcr.io',
    namespace: 'ghcr.io',
    userAgent: 'test/1',
  });
  t.false(JSON.stringify(lines).includes('secret'));
});
