import test from 'ava';
import fc from 'fast-check';
import { OciError } from '../../src/oci/error.ts';
import { MAX_MANIFEST_SIZE } from '../../src/oci/manifest.ts';
import {
  DOCKER_IMAGE,
  DOCKER_LIST,
  DOCKER_SCHEMA1,
  DOCKER_SCHEMA1_SIGNED,
  OCI_IMAGE,
  OCI_INDEX,
} from '../../src/oci/media-type.ts';
import { MAX_CHILDREN, parseManifest } from '../../src/oci/parse-manifest.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;
const OTHER = `sha512:${'b'.repeat(128)}`;
const LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip';
const FOREIGN = 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip';

function descriptor(changes: object = {}): object {
  return { mediaType: LAYER, digest: DIGEST, size: 5, ...changes };
}

const image = { schemaVersion: 2, config: descriptor(), layers: [descriptor({ digest: OTHER })] };
const index = { schemaVersion: 2, manifests: [descriptor()] };
const schema1 = { schemaVersion: 1, fsLayers: [{ blobSum: DIGEST }] };

function encode(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

for (const [title, body, contentType, mediaType] of [
  ['an OCI image', image, OCI_IMAGE, OCI_IMAGE],
  ['a Docker image', image, DOCKER_IMAGE, DOCKER_IMAGE],
  ['a type with parameters', image, `${OCI_IMAGE}; charset=utf-8`, OCI_IMAGE],
  [
    'a generic type and mediaType',
    { ...image, mediaType: DOCKER_IMAGE },
    'application/json',
    DOCKER_IMAGE,
  ],
  ['a generic type and the shape of an image', image, 'text/plain', OCI_IMAGE],
  ['a generic type and the shape of an index', index, '', OCI_INDEX],
  ['a list', index, DOCKER_LIST, DOCKER_LIST],
  ['schema 1', schema1, DOCKER_SCHEMA1_SIGNED, DOCKER_SCHEMA1_SIGNED],
  ['schema 1 without signatures', schema1, 'application/json', DOCKER_SCHEMA1],
] as const) {
  test(`parseManifest() serves ${title} as what it is`, (t) => {
    t.is(parseManifest(encode(body), contentType).mediaType, mediaType);
  });
}

test('parseManifest() gives config and layers of an image', (t) => {
  const layers = [descriptor({ digest: OTHER }), descriptor({ mediaType: FOREIGN })];
  const { blobs, manifests } = parseManifest(encode({ ...image, layers }), OCI_IMAGE);
  t.deepEqual(manifests, []);
  t.deepEqual<unknown, unknown>(blobs, [
    descriptor(),
    descriptor({ digest: OTHER }),
    descriptor({ mediaType: FOREIGN, foreign: true }),
  ]);
});

test('parseManifest() gives the manifests of an index with their platforms', (t) => {
  const platform = { os: 'linux', architecture: 'arm', variant: 'v7' };
  const body = { ...index, manifests: [descriptor({ platform }), descriptor({ platform: {} })] };
  const { blobs, manifests } = parseManifest(encode(body), OCI_INDEX);
  t.deepEqual(blobs, []);
  t.deepEqual<unknown, unknown>(manifests, [descriptor({ platform }), descriptor()]);
});

test('parseManifest() gives the layers of schema 1', (t) => {
  const { blobs } = parseManifest(encode(schema1), DOCKER_SCHEMA1);
  t.deepEqual(
    blobs.map(({ digest }) => String(digest)),
    [DIGEST],
  );
});

for (const [title, body, contentType] of [
  ['a list', [], OCI_IMAGE],
  ['a text', 'manifest', OCI_IMAGE],
  ['an HTML page', image, 'text/html'],
  ['a mediaType that is not a text', { ...image, mediaType: 1 }, OCI_IMAGE],
  ['a mediaType that contradicts', { ...image, mediaType: OCI_INDEX }, OCI_IMAGE],
  ['an unknown mediaType', { ...image, mediaType: 'text/html' }, 'application/json'],
  ['an index sent as image', index, OCI_IMAGE],
  ['an image sent as index', image, OCI_INDEX],
  ['both at once', { ...image, ...index }, OCI_IMAGE],
  ['neither', { schemaVersion: 2 }, OCI_IMAGE],
  ['a wrong schemaVersion', { ...image, schemaVersion: 1 }, OCI_IMAGE],
  ['layers that are no list', { ...image, layers: {} }, OCI_IMAGE],
  ['a descriptor that is null', { ...image, layers: [null] }, OCI_IMAGE],
  ['a negative size', { ...image, layers: [descriptor({ size: -1 })] }, OCI_IMAGE],
  ['a size that is no integer', { ...image, layers: [descriptor({ size: 1.5 })] }, OCI_IMAGE],
  ['a size beyond safe integers', { ...image, layers: [descriptor({ size: 2 ** 53 })] }, OCI_IMAGE],
  ['a size that is a text', { ...image, layers: [descriptor({ size: '5' })] }, OCI_IMAGE],
  ['a short digest', { ...image, layers: [descriptor({ digest: 'sha256:abc' })] }, OCI_IMAGE],
  ['no digest', { ...image, layers: [descriptor({ digest: undefined })] }, OCI_IMAGE],
  ['an unknown algorithm', { ...image, config: descriptor({ digest: 'md5:00' }) }, OCI_IMAGE],
  ['no media type', { ...image, config: descriptor({ mediaType: '' }) }, OCI_IMAGE],
  ['too many children', { ...index, manifests: new Array(MAX_CHILDREN + 1).fill({}) }, OCI_INDEX],
] as const) {
  test(`parseManifest() refuses ${title}`, (t) => {
    const error = t.throws(() => parseManifest(encode(body), contentType), {
      instanceOf: OciError,
    });
    t.is(error?.code, 'MANIFEST_INVALID');
    t.is(error?.status, 400);
  });
}

test('parseManifest() refuses what is too large or not JSON', (t) => {
  for (const bytes of [new Uint8Array(MAX_MANIFEST_SIZE + 1), new Uint8Array([0xff, 0x7b])]) {
    t.throws(() => parseManifest(bytes, OCI_IMAGE), { instanceOf: OciError });
  }
});

test('parseManifest() refuses or gives values that cannot be wrong, whatever it gets', (t) => {
  const body = fc.record(
    {
      schemaVersion: fc.constantFrom<unknown>(1, 2, 'x'),
      mediaType: fc.constantFrom<unknown>(OCI_IMAGE, OCI_INDEX, 7),
      config: fc.oneof(fc.constant(descriptor()), fc.jsonValue()),
      layers: fc.oneof(fc.constant([descriptor()]), fc.jsonValue()),
      manifests: fc.oneof(fc.constant([descriptor()]), fc.jsonValue()),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(body, fc.constantFrom(OCI_IMAGE, OCI_INDEX, 'application/json'), (value, type) => {
      try {
        const { blobs, manifests } = parseManifest(encode(value), type);
        for (const { size } of [...blobs, ...manifests]) t.true(Number.isSafeInteger(size));
      } catch (error) {
        t.true(error instanceof OciError);
      }
    }),
  );
});
