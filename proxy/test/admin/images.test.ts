import test from 'ava';
import { readImageUses } from '../../src/admin/images.ts';
import type { Digest } from '../../src/oci/digest.ts';
import { MemoryBlobStore } from '../doubles/memory-blob-store.ts';
import { MemoryIndex } from '../doubles/memory-index.ts';
import { storeLayer, storeManifest } from '../store/store-images.ts';

/** A small file takes a block. */
const BLOCK = 4096;

function makeParts() {
  const store = new MemoryBlobStore();
  const index = new MemoryIndex();
  return { store, index, nowMs: 1000 };
}

test('what several images need counts in equal parts, and an image has the name of its tag', async (t) => {
  const parts = makeParts();
  const shared = await storeLayer(parts.store, 'shared', 10 * BLOCK);
  const own = await storeLayer(parts.store, 'own', 2 * BLOCK);
  const one = await storeManifest(parts, { blobs: [shared], tag: '12' });
  const other = await storeManifest(parts, { blobs: [shared, own], repository: 'up/app' });
  const pulls = { of: (digest: Digest) => (digest === one.digest ? 3 : 0) };
  const uses = await readImageUses({ ...parts, pulls });
  const debian = {
    name: 'docker.io/library/debian:12',
    digest: one.digest,
    size: 10 * BLOCK + one.size,
    stored: 6 * BLOCK,
    pulls: 3,
    lastUseMs: 1000,
  };
  const app = {
    name: `up/app@${other.digest}`,
    digest: other.digest,
    size: 12 * BLOCK + other.size,
    stored: 8 * BLOCK,
    pulls: 0,
    lastUseMs: 1000,
  };
  t.deepEqual(uses, { count: 2, biggest: [app, debian], hottest: [debian, app] });
});

test('an image of several platforms is one, as hot as its hottest manifest', async (t) => {
  const parts = makeParts();
  const layer = await storeLayer(parts.store, 'layer', BLOCK);
  const platform = await storeManifest(parts, { blobs: [layer] });
  const top = await storeManifest(parts, { manifests: [platform], tag: '12' });
  const counts = new Map([
    [platform.digest, 5],
    [top.digest, 4],
  ]);
  const pulls = { of: (digest: Digest) => counts.get(digest) ?? 0 };
  const { count, hottest } = await readImageUses({ ...parts, pulls });
  t.is(count, 1);
  t.like(hottest[0], { digest: top.digest, pulls: 5, stored: 3 * BLOCK });
});

test('of many images the lists show ten, and a blob without a manifest is none', async (t) => {
  const parts = makeParts();
  await storeLayer(parts.store, 'alone', BLOCK);
  for (let number = 0; number < 12; number += 1) {
    const layer = await storeLayer(parts.store, `layer ${number}`, (number + 1) * BLOCK);
    await storeManifest(parts, { blobs: [layer], tag: String(number) });
    parts.index.touch(layer.digest, 1);
  }
  const uses = await readImageUses({ ...parts, pulls: { of: () => 0 } });
  t.is(uses.count, 12);
  t.is(uses.hottest.length, 10);
  t.deepEqual(
    uses.biggest.map(({ name }) => name),
    [11, 10, 9, 8, 7, 6, 5, 4, 3, 2].map((number) => `docker.io/library/debian:${number}`),
  );
});
