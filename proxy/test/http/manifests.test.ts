// Manifests by tag and by digest: the bytes, type, length and digest of the upstream, unchanged.

import test from 'ava';
import { digestBytes, makeContent, mediaTypesOf } from '../upstream-double/content.ts';
import { errorCode, get, head, type Received } from './client.ts';
import { startMirror } from './mirror.ts';

const mirror = await startMirror();
test.after.always(() => mirror.stop());

const DIGEST = 'docker-content-digest';

function headersOf(answer: Received): unknown[] {
  const { headers } = answer;
  return [answer.status, headers['content-type'], headers['content-length'], headers[DIGEST]];
}

for (const flavour of ['oci', 'docker'] as const) {
  for (const algorithm of ['sha256', 'sha512'] as const) {
    test(`GET and HEAD of ${flavour} manifests with ${algorithm} keep bytes, type, length and digest`, async (t) => {
      const repository = `kinds/${flavour}/${algorithm}`;
      const { index, images } = mirror.upstream.putMultiImage(
        { repository, tag: 'v1', seed: repository, flavour, algorithm },
        ['linux/amd64', 'linux/arm64'],
      );
      const manifest = images[0]?.manifest ?? t.fail();
      // A sha512 image is reached by digest: registries name the content of a tag as they like.
      for (const [content, reference] of [
        [index, index.digest],
        [index, 'v1'],
        [manifest, manifest.digest],
      ] as const) {
        const url = mirror.url(`/v2/${repository}/manifests/${reference}`);
        const expected = [200, content.mediaType, String(content.bytes.length), content.digest];
        for (const answer of [await head(url), await get(url), await head(url)]) {
          t.deepEqual(headersOf(answer), expected, reference);
          t.is(answer.headers['content-encoding'], undefined);
        }
        t.deepEqual(new Uint8Array((await get(url)).body), Uint8Array.from(content.bytes));
      }
    });
  }
}

const OCI = mediaTypesOf('oci');
const EMPTY = digestBytes(new TextEncoder().encode('{}'));

const ODDITIES: readonly (readonly [title: string, mediaType: string, text: string])[] = [
  [
    'odd white space and member order',
    OCI.manifest,
    `\n{"layers" :[],\t"config":{"digest":"${EMPTY}","size":2, "mediaType":"${OCI.config}"}\r\n,"schemaVersion":2 }\n\n`,
  ],
  [
    'unknown members and escapes',
    OCI.manifest,
    `{"schemaVersion":2,"x-vendor":{"a":"\\u00e9\\/"},"mediaType":"${OCI.manifest}","config":{"mediaType":"${OCI.config}","digest":"${EMPTY}","size":2},"layers":[]}`,
  ],
  ['no children', OCI.index, '{"schemaVersion":2,"manifests":[]}'],
  [
    'the artifact type of OCI 1.1 drafts',
    'application/vnd.oci.artifact.manifest.v1+json',
    '{"mediaType":"application/vnd.oci.artifact.manifest.v1+json","artifactType":"a/b","blobs":[]}',
  ],
  [
    'Docker schema 1 with signature',
    'application/vnd.docker.distribution.manifest.v1+prettyjws',
    `{"schemaVersion":1,"name":"x","tag":"v","architecture":"amd64","fsLayers":[{"blobSum":"${EMPTY}"}],"history":[{"v1Compatibility":"{}"}],"signatures":[]}`,
  ],
];

for (const [title, mediaType, text] of ODDITIES) {
  test(`a manifest with ${title} arrives to the byte`, async (t) => {
    const repository = `odd/${digestBytes(Buffer.from(title)).slice(7, 19)}`;
    const content = makeContent(Buffer.from(text), mediaType);
    mirror.upstream.putManifest(repository, content, 'v1');
    for (const reference of [content.digest, 'v1']) {
      const answer = await get(mirror.url(`/v2/${repository}/manifests/${reference}`));
      t.deepEqual(headersOf(answer), [200, mediaType, String(text.length), content.digest]);
      t.is(answer.body.toString(), text);
    }
  });
}

test('the media type is kept without parameters', async (t) => {
  const image = mirror.upstream.putImage({ repository: 'charset', tag: 'v1', seed: 'charset' });
  mirror.upstream.faults.add({
    path: '/charset/',
    fault: { kind: 'content-type', mediaType: `${OCI.manifest}; charset=utf-8` },
  });
  const answer = await get(mirror.url('/v2/charset/manifests/v1'));
  t.is(answer.headers['content-type'], OCI.manifest);
  t.deepEqual(new Uint8Array(answer.body), Uint8Array.from(image.manifest.bytes));
});

test('an upstream without Docker-Content-Digest is served with the digest of the bytes', async (t) => {
  const image = mirror.upstream.putImage({ repository: 'no-digest', tag: 'v1', seed: 'no-digest' });
  mirror.upstream.faults.add({ path: '/no-digest/', fault: { kind: 'no-digest' } });
  for (const ask of [head, get, head]) {
    const answer = await ask(mirror.url('/v2/no-digest/manifests/v1'));
    t.is(answer.status, 200);
    t.is(answer.headers[DIGEST], image.manifest.digest);
    t.is(answer.headers['content-length'], String(image.manifest.bytes.length));
  }
});

test('a manifest by digest is asked for once and served with the upstream gone', async (t) => {
  const image = mirror.upstream.putImage({ repository: 'once', tag: 'v1', seed: 'once' });
  const url = mirror.url(`/v2/once/manifests/${image.manifest.digest}`);
  t.is((await get(url)).status, 200);
  const asked = mirror.upstream.count('/once/');
  mirror.upstream.faults.add({ path: '/once/', fault: { kind: 'reset', after: 0 } });
  for (const ask of [get, head, get]) t.is((await ask(url)).status, 200);
  t.is(mirror.upstream.count('/once/'), asked);
});

test('what the upstream does not have is MANIFEST_UNKNOWN, by tag and by digest', async (t) => {
  mirror.upstream.putImage({ repository: 'holes', tag: 'v1', seed: 'holes' });
  for (const reference of ['v2', `sha256:${'0'.repeat(64)}`, `sha512:${'0'.repeat(128)}`]) {
    const url = mirror.url(`/v2/holes/manifests/${reference}`);
    const answer = await get(url);
    t.is(answer.status, 404);
    t.is(errorCode(answer), 'MANIFEST_UNKNOWN');
    t.regex(String(answer.headers['content-type']), /^application\/json/);
    t.is((await head(url)).status, 404);
  }
});

test('malformed references are refused with nothing contacted', async (t) => {
  for (const [reference, codes] of [
    ['sha256:abc', ['DIGEST_INVALID']],
    [`sha256:${'A'.repeat(64)}`, ['DIGEST_INVALID']],
    [`md5:${'0'.repeat(32)}`, ['DIGEST_INVALID']],
    ['.tag', ['MANIFEST_INVALID', 'MANIFEST_UNKNOWN']],
    ['t'.repeat(129), ['MANIFEST_INVALID', 'MANIFEST_UNKNOWN']],
    ['a%20b', ['MANIFEST_INVALID', 'MANIFEST_UNKNOWN']],
  ] as const) {
    const answer = await get(mirror.url(`/v2/malformed/manifests/${reference}`));
    t.true(answer.status === 400 || answer.status === 404, `${reference}: ${answer.status}`);
    t.true((codes as readonly string[]).includes(errorCode(answer)), reference);
  }
  t.is(mirror.upstream.count('malformed'), 0);
});

test('Accept-Encoding never leads to an encoded answer', async (t) => {
  const image = mirror.upstream.putImage({ repository: 'plain', tag: 'v1', seed: 'plain' });
  const accept = { 'accept-encoding': 'zstd, gzip, deflate, br' };
  for (const path of [
    'manifests/v1',
    `manifests/${image.manifest.digest}`,
    `blobs/${image.config.digest}`,
    'tags/list',
    `referrers/${image.manifest.digest}`,
  ]) {
    const answer = await get(mirror.url(`/v2/plain/${path}`), accept);
    t.is(answer.status, 200, path);
    t.is(answer.headers['content-encoding'], undefined, path);
  }
  for (const { headers } of mirror.upstream.requests.filter(({ path }) => path.includes('/plain/')))
    t.true([undefined, 'identity'].includes(String(headers['accept-encoding'] ?? 'identity')));
});

test('HEAD of an image that is in no cache contacts the upstream without a manifest GET by tag twice', async (t) => {
  mirror.upstream.putImage({ repository: 'head-first', tag: 'v1', seed: 'head-first' });
  const url = mirror.url('/v2/head-first/manifests/v1');
  t.is((await head(url)).status, 200);
  t.is((await get(url)).status, 200);
  t.true(mirror.upstream.count('/head-first/', 'GET') <= 1);
});
