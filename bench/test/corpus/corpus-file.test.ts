import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import {
  blobFile,
  type CorpusImage,
  loadCorpus,
  parseCorpus,
  saveCorpus,
} from '../../src/corpus/corpus-file.ts';

const digest = `sha256:${'0a'.repeat(32)}`;

const image: CorpusImage = {
  repository: 'bench/python',
  tag: '3.11-1',
  family: 'python',
  tool: 'dockerd',
  manifest: digest,
  layers: [{ digest, size: 17, mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip' }],
};

const write = (changed: Readonly<Record<string, unknown>>): string =>
  JSON.stringify({ version: 1, images: [{ ...image, ...changed }] });

test('loadCorpus() gives what saveCorpus() wrote', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'mica-corpus-'));
  t.teardown(() => rm(folder, { recursive: true }));
  await saveCorpus(folder, [image]);
  t.deepEqual(await loadCorpus(folder), [image]);
});

test('loadCorpus() names the command for a folder without a corpus', async (t) => {
  const problem = { message: /npm run bench -- corpus \/nowhere/ };
  await t.throwsAsync(loadCorpus('/nowhere'), problem);
});

test('parseCorpus() keeps only what it knows', (t) => {
  t.deepEqual(parseCorpus(write({ later: true })), [image]);
});

test('parseCorpus() refuses what is no list of images, and says where', (t) => {
  const layer = image.layers[0];
  const texts: readonly (readonly [string, RegExp])[] = [
    ['', /version 1 is wanted/],
    ['{"version":2,"images":[]}', /version 1 is wanted, got 2/],
    ['{"version":1}', /"images" is not a list/],
    [write({ tool: 'kaniko' }), /"tool" is none of/],
    [write({ tag: '' }), /"tag" is not a text/],
    [write({ manifest: 'sha256:../../etc' }), /"manifest" is not a SHA-256 digest/],
    [write({ layers: {} }), /"layers" is not a list/],
    [write({ layers: [{ ...layer, size: -1 }] }), /"size" is not a number of bytes/],
    [write({ layers: [{ ...layer, digest: 1 }] }), /"digest" is not a text/],
  ];
  for (const [text, message] of texts) {
    t.throws(() => parseCorpus(text), { code: 'CORPUS_INVALID', message }, text);
  }
});

test('blobFile() is where distribution keeps a blob', (t) => {
  const blobs = '/c/registry/docker/registry/v2/blobs/sha256';
  t.is(blobFile('/c', digest), `${blobs}/0a/${'0a'.repeat(32)}/data`);
});
