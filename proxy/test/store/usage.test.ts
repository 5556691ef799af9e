import test from 'ava';
import { measureUsage } from '../../src/store/usage.ts';
import { MemoryBlobStore } from '../doubles/memory-blob-store.ts';
import { MemoryIndex } from '../doubles/memory-index.ts';
import { bytesOf, sha256, storeLayer, storeManifest } from './store-images.ts';

test('measureUsage() counts blobs, partial blobs, images, manifests, tags and repositories', async (t) => {
  const store = new MemoryBlobStore();
  const index = new MemoryIndex();
  const parts = { store, index, nowMs: 0 };
  const layer = await storeLayer(store, 'layer', 5000);
  const image = await storeManifest(parts, { blobs: [layer] });
  const top = await storeManifest(parts, { manifests: [image], tag: '12' });
  const half = bytesOf('half', 100);
  store.plantPartial(sha256(half), half);
  t.deepEqual(await measureUsage(store, index), {
    blobs: { count: 3, bytes: 5000 + image.size + top.size, allocated: 8192 + 4096 + 4096 },
    partials: { count: 1, bytes: 100, allocated: 4096 },
    images: 1,
    manifests: 2,
    tags: 1,
    repositories: 1,
  });
});
