import test from 'ava';
import { testApp } from '../doubles/test-app.ts';

const OCI_IMAGE = 'application/vnd.oci.image.manifest.v1+json';
const ZERO = `sha256:${'0'.repeat(64)}`;

async function codeOf(response: Response): Promise<unknown> {
  const body = (await response.json()) as { errors: { code: string }[] };
  return body.errors[0]?.code;
}

test('GET /v2/ answers without asking anybody', async (t) => {
  const { app, mirror } = testApp();
  for (const path of ['/v2/', '/v2', '/v2/?ns=ghcr.io']) {
    const response = await app.request(path);
    t.is(response.status, 200);
    t.is(response.headers.get('docker-distribution-api-version'), 'registry/2.0');
    t.is(response.headers.get('www-authenticate'), null);
  }
  t.is(mirror.asked.length, 0);
});

for (const [path, repository, host] of [
  ['/v2/debian/manifests/v1', 'docker.io/library/debian'],
  ['/v2/o/debian/manifests/v1', 'docker.io/o/debian'],
  ['/v2/docker.io/debian/manifests/v1', 'docker.io/library/debian'],
  ['/v2/ghcr.io/o/r/manifests/v1', 'ghcr.io/o/r'],
  ['/v2/ghcr.io/r/manifests/v1', 'ghcr.io/r'],
  ['/v2/localhost:5601/o/r/manifests/v1', 'localhost:5601/o/r'],
  ['/v2/localhost%3A5601/o/r/manifests/v1', 'localhost:5601/o/r'],
  ['/v2/o/r/manifests/v1?ns=ghcr.io', 'ghcr.io/o/r'],
  ['/v2/ghcr.io/o/r/manifests/v1?ns=ghcr.io', 'ghcr.io/o/r'],
  ['/v2/ghcr.io/o/r/manifests/v1?ns=docker.io', 'docker.io/ghcr.io/o/r'],
  ['/v2/o/r/manifests/v1', 'ghcr.io/o/r', 'ghcr.mirror.test:5000'],
  ['/v2/o/r/manifests/v1', 'ghcr.io/o/r', 'GHCR.mirror.test'],
  ['/v2/a/manifests/manifests/manifests/v1', 'docker.io/a/manifests/manifests'],
] as const) {
  test(`the repository of ${path}${host === undefined ? '' : ` at ${host}`} is ${repository}`, async (t) => {
    const { app, mirror } = testApp();
    mirror.putManifest('{}', OCI_IMAGE, 'v1');
    const response = await app.request(path, { headers: { host: host ?? 'mica.test' } });
    t.is(response.status, 200);
    t.is(mirror.asked[0]?.repository, repository);
  });
}

test('a manifest has its bytes, type, digest, length and entity tag, for GET and HEAD', async (t) => {
  const { app, mirror, ended } = testApp();
  const manifest = mirror.putManifest('{"a": 1}', OCI_IMAGE, 'v1');
  for (const method of ['GET', 'HEAD']) {
    const response = await app.request('/v2/o/r/manifests/v1?ns=ghcr.io', { method });
    t.is(response.headers.get('content-type'), OCI_IMAGE);
    t.is(response.headers.get('content-length'), '8');
    t.is(response.headers.get('docker-content-digest'), manifest.digest);
    t.is(response.headers.get('etag'), `"${manifest.digest}"`);
    t.is(response.headers.get('oci-namespace'), 'ghcr.io');
    t.is(await response.text(), method === 'GET' ? '{"a": 1}' : '');
  }
  t.like(ended[0], { route: 'manifest', cache: 'hit', bytes: 8, upstream: 'ghcr.io' });
  t.like(ended[1], { method: 'HEAD', bytes: 0 });
});

test('If-None-Match answers 304 for what the client has', async (t) => {
  const { app, mirror } = testApp();
  const { digest } = mirror.putManifest('{}', OCI_IMAGE, 'v1');
  for (const tag of [`"${digest}"`, `W/"${digest}"`, `"x", "${digest}"`, '*']) {
    const headers = { 'if-none-match': tag };
    t.is((await app.request('/v2/o/r/manifests/v1', { headers })).status, 304, tag);
  }
  const headers = { 'if-none-match': '"x"' };
  t.is((await app.request('/v2/o/r/manifests/v1', { headers })).status, 200);
});

test('an answer that is stale carries a warning', async (t) => {
  const { app, mirror } = testApp();
  mirror.putManifest('{}', OCI_IMAGE, 'v1');
  mirror.cache = 'stale';
  const response = await app.request('/v2/o/r/manifests/v1');
  t.regex(response.headers.get('warning') ?? '', /^299 - "[ -~]+"$/);
});

const BYTES = new TextEncoder().encode('0123456789');

for (const [range, status, body, contentRange] of [
  ['bytes=2-4', 206, '234', 'bytes 2-4/10'],
  ['bytes=8-', 206, '89', 'bytes 8-9/10'],
  ['bytes=-1', 206, '9', 'bytes 9-9/10'],
  ['bytes=x', 200, '0123456789', null],
  ['bytes=10-', 416, undefined, 'bytes */10'],
] as const) {
  test(`a blob with Range ${range} answers ${status}`, async (t) => {
    const { app, mirror } = testApp();
    const digest = mirror.putBlob(BYTES);
    const response = await app.request(`/v2/o/r/blobs/${digest}`, { headers: { range } });
    t.is(response.status, status);
    t.is(response.headers.get('content-range'), contentRange);
    if (body === undefined) t.is(await codeOf(response), 'SIZE_INVALID');
    else t.is(await response.text(), body);
  });
}

test('a blob with several ranges answers them as parts', async (t) => {
  const { app, mirror } = testApp();
  const digest = mirror.putBlob(BYTES);
  const headers = { range: 'bytes=8-9,0-1' };
  const response = await app.request(`/v2/o/r/blobs/${digest}`, { headers });
  const type = response.headers.get('content-type') ?? '';
  const boundary = type.replace('multipart/byteranges; boundary=', '');
  const part = (range: string, bytes: string) =>
    `--${boundary}\r\nContent-Type: application/octet-stream\r\nContent-Range: bytes ${range}/10\r\n\r\n${bytes}\r\n`;
  const body = await response.text();
  t.is(body, `${part('8-9', '89')}${part('0-1', '01')}--${boundary}--\r\n`);
  t.is(response.headers.get('content-length'), String(body.length));
});

test('If-Range with another tag answers the whole blob', async (t) => {
  const { app, mirror } = testApp();
  const digest = mirror.putBlob(BYTES);
  for (const [tag, status] of [
    [`"${digest}"`, 206],
    ['"x"', 200],
    ['Sat, 29 Oct 1994 19:43:31 GMT', 200],
  ] as const) {
    const headers = { range: 'bytes=0-1', 'if-range': tag };
    t.is((await app.request(`/v2/o/r/blobs/${digest}`, { headers })).status, status);
  }
});

test('HEAD of a blob opens no body', async (t) => {
  const { app, mirror } = testApp();
  const digest = mirror.putBlob(BYTES);
  const response = await app.request(`/v2/o/r/blobs/${digest}`, { method: 'HEAD' });
  t.is(response.headers.get('content-length'), '10');
  t.is(response.headers.get('accept-ranges'), 'bytes');
  t.is(response.headers.get('content-encoding'), null);
  t.is(mirror.sources.length, 0);
});

test('lists pass their query on and link to the next page in the form the client used', async (t) => {
  const { app, mirror } = testApp();
  const bytes = new TextEncoder().encode('{"tags":[]}');
  mirror.list = { bytes, mediaType: 'application/json', next: 'last=b&n=2', cache: 'miss' };
  const tags = await app.request('/v2/ghcr.io/o/r/tags/list?n=2&last=a&secret=x&ns=ghcr.io');
  t.is(tags.status, 200);
  t.is(mirror.asked[0]?.query, 'n=2&last=a');
  t.is(tags.headers.get('link'), '</v2/ghcr.io/o/r/tags/list?last=b&n=2&ns=ghcr.io>; rel="next"');
  mirror.list = { ...mirror.list, filtersApplied: 'artifactType' };
  const referrers = await app.request(`/v2/o/r/referrers/${ZERO}?artifactType=a/b`);
  t.is(referrers.headers.get('oci-filters-applied'), 'artifactType');
  t.is(mirror.asked[1]?.query, 'artifactType=a%2Fb');
});

for (const [method, path, status, code] of [
  ['PUT', '/v2/o/r/manifests/v1', 405, 'UNSUPPORTED'],
  ['POST', '/v2/o/r/blobs/uploads/', 405, 'UNSUPPORTED'],
  ['DELETE', `/v2/o/r/blobs/${ZERO}`, 405, 'UNSUPPORTED'],
  ['GET', '/v2/o/r/blobs/uploads/1', 404, 'BLOB_UPLOAD_UNKNOWN'],
  ['GET', '/v2/o/r/manifests/v1?ns=evil.test', 404, 'NAME_UNKNOWN'],
  ['GET', '/v2/o/r/manifests/v1?ns=ghcr.io&ns=evil.test', 404, 'NAME_UNKNOWN'],
  ['GET', '/v2/o/r/manifests/v1?ns=', 404, 'NAME_UNKNOWN'],
  ['GET', '/v2/O/r/manifests/v1', 400, 'NAME_INVALID'],
  ['GET', '/v2/o/%ff/manifests/v1', 400, 'NAME_INVALID'],
  ['GET', `/v2/${'a'.repeat(5000)}/manifests/v1`, 400, 'NAME_INVALID'],
  ['GET', '/v2/o/r/manifests/-x', 400, 'MANIFEST_INVALID'],
  ['GET', '/v2/o/r/blobs/sha256:abc', 400, 'DIGEST_INVALID'],
  ['GET', '/v2/o/r/tags/list?n=-1', 400, 'UNSUPPORTED'],
  ['GET', '/v2/_catalog', 404, 'UNSUPPORTED'],
  ['GET', '/v1/x', 404, 'UNSUPPORTED'],
  ['GET', '/v2/o/r/tags/other', 404, 'UNSUPPORTED'],
  ['GET', '/v2/o/r/manifests/gone', 404, 'MANIFEST_UNKNOWN'],
  ['GET', `/v2/o/r/blobs/${ZERO}`, 404, 'BLOB_UNKNOWN'],
  ['GET', '/v2/o/r/tags/list', 404, 'NAME_UNKNOWN'],
] as const) {
  test(`${method} ${path.slice(0, 60)} answers ${status} ${code}`, async (t) => {
    const { app, ended } = testApp();
    const response = await app.request(path, { method });
    t.is(response.status, status);
    t.is(response.headers.get('content-type'), 'application/json');
    t.is(response.headers.get('allow'), status === 405 ? 'GET, HEAD' : null);
    t.is(await codeOf(response), code);
    t.is(ended.length, 1);
  });
}
