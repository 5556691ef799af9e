// Blobs: whole, by both algorithms, only where a manifest or the upstream says they belong.

import test from 'ava';
import { digestBytes, makeContent, seededBytes } from '../upstream-double/content.ts';
import { errorCode, get, head } from './client.ts';
import { startMirror } from './mirror.ts';

const mirror = await startMirror();
test.after.always(() => mirror.stop());

for (const algorithm of ['sha256', 'sha512'] as const) {
  for (const size of [0, 1, 65_535, 3_000_000]) {
    test(`a ${algorithm} blob of ${size} bytes arrives whole on a miss and on a hit`, async (t) => {
      const repository = `sizes/${algorithm}/${size}`;
      const bytes = seededBytes(repository, size);
      const blob = makeContent(bytes, 'application/octet-stream', algorithm);
      mirror.upstream.putBlob(repository, blob);
      const url = mirror.url(`/v2/${repository}/blobs/${blob.digest}`);
      for (const pass of ['miss', 'hit']) {
        const answer = await get(url);
        t.is(answer.status, 200, pass);
        t.is(answer.headers['content-length'], String(size), pass);
        t.is(answer.headers['docker-content-digest'], blob.digest, pass);
        t.is(answer.headers['accept-ranges'], 'bytes', pass);
        t.is(answer.headers['content-type'], 'application/octet-stream', pass);
        t.true(answer.complete);
        t.is(digestBytes(answer.body, algorithm), blob.digest, pass);
      }
      t.is(mirror.upstream.count(repository, 'GET'), 1);
    });
  }
}

test('HEAD of a blob tells its size before and after it is stored', async (t) => {
  const blob = mirror.upstream.putBlob('head', seededBytes('head', 5000));
  const url = mirror.url(`/v2/head/blobs/${blob.digest}`);
  for (const pass of ['miss', 'hit']) {
    const answer = await head(url);
    t.is(answer.status, 200, pass);
    t.is(answer.headers['content-length'], '5000', pass);
    t.is(answer.headers['docker-content-digest'], blob.digest, pass);
    t.is(answer.headers['accept-ranges'], 'bytes', pass);
    t.is(answer.body.length, 0, pass);
    await get(url);
  }
});

test('a blob that is nowhere is BLOB_UNKNOWN', async (t) => {
  mirror.upstream.putImage({ repository: 'nowhere', seed: 'nowhere', tag: 'v1' });
  const url = mirror.url(`/v2/nowhere/blobs/sha256:${'1'.repeat(64)}`);
  const answer = await get(url);
  t.is(answer.status, 404);
  t.is(errorCode(answer), 'BLOB_UNKNOWN');
  t.is((await head(url)).status, 404);
});

test('a malformed digest is DIGEST_INVALID with nothing contacted', async (t) => {
  for (const digest of ['sha256:12', 'sha1:aa', 'latest', `sha256:${'z'.repeat(64)}`]) {
    const answer = await get(mirror.url(`/v2/malformed/blobs/${digest}`));
    t.is(answer.status, 400, digest);
    t.is(errorCode(answer), 'DIGEST_INVALID', digest);
  }
  t.is(mirror.upstream.count('malformed'), 0);
});

test('a blob of one repository is not served in another that does not hold it', async (t) => {
  const blob = mirror.upstream.putBlob('member/yes', seededBytes('member', 5000));
  mirror.upstream.putImage({ repository: 'member/no', seed: 'member/no', tag: 'v1' });
  t.is((await get(mirror.url(`/v2/member/yes/blobs/${blob.digest}`))).status, 200);
  const answer = await get(mirror.url(`/v2/member/no/blobs/${blob.digest}`));
  t.is(answer.status, 404);
  t.is(errorCode(answer), 'BLOB_UNKNOWN');
});

test('a blob that a cached manifest names is served in its repository with the upstream gone', async (t) => {
  const image = mirror.upstream.putImage({
    repository: 'shared/one',
    seed: 'shared',
    tag: 'v1',
    layers: [40_000],
  });
  mirror.upstream.putImage({
    repository: 'shared/two',
    seed: 'shared',
    tag: 'v1',
    layers: [40_000],
  });
  const layer = image.layers[0] ?? t.fail();
  t.is((await get(mirror.url(`/v2/shared/one/blobs/${layer.digest}`))).status, 200);
  t.is((await get(mirror.url('/v2/shared/two/manifests/v1'))).status, 200);
  mirror.upstream.faults.add({ path: '/shared/', fault: { kind: 'reset', after: 0 } });
  const answer = await get(mirror.url(`/v2/shared/two/blobs/${layer.digest}`));
  t.is(answer.status, 200);
  t.is(digestBytes(answer.body), layer.digest);
});

test('a blob whose upstream tells no length is served whole', async (t) => {
  const image = mirror.upstream.putImage({
    repository: 'unsized',
    seed: 'unsized',
    tag: 'v1',
    layers: [300_000],
  });
  const layer = image.layers[0] ?? t.fail();
  mirror.upstream.faults.add({ path: '/unsized/blobs/', fault: { kind: 'no-length' } });
  t.is((await get(mirror.url('/v2/unsized/manifests/v1'))).status, 200);
  const answer = await get(mirror.url(`/v2/unsized/blobs/${layer.digest}`));
  t.is(answer.status, 200);
  t.is(answer.headers['content-length'], '300000');
  t.is(digestBytes(answer.body), layer.digest);
});

test('If-None-Match and other conditions never change a whole answer to a wrong one', async (t) => {
  const blob = mirror.upstream.putBlob('conditions', seededBytes('conditions', 5000));
  const url = mirror.url(`/v2/conditions/blobs/${blob.digest}`);
  for (const headers of [{ 'if-none-match': '"other"' }, { 'if-match': '*' }]) {
    const answer = await get(url, headers);
    t.is(answer.status, 200);
    t.is(digestBytes(answer.body), blob.digest);
  }
});
