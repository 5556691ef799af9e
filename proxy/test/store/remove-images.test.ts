import test from 'ava';
import { removeImages } from '../../src/store/remove-images.ts';
import { MemoryBlobStore } from '../doubles/memory-blob-store.ts';
import { MemoryIndex } from '../doubles/memory-index.ts';
import { storeLayer, storeManifest } from './store-images.ts';

async function setUp() {
  const store = new MemoryBlobStore();
  const index = new MemoryIndex();
  const layer = await storeLayer(store, 'layer', 5000);
  const image = await storeManifest({ store, index, nowMs: 0 }, { blobs: [layer], tag: '12' });
  const removal = { manifests: [image.digest], blobs: [image.digest, layer.digest] };
  return { store, index, layer: layer.digest, image: image.digest, removal };
}

test('removeImages() takes a manifest out of the index before its bytes go', async (t) => {
  const { store, index, image, layer, removal } = await setUp();
  const remove = store.remove.bind(store);
  store.remove = async (digest) => {
    t.is(await index.getManifest(image), undefined);
    return remove(digest);
  };
  t.deepEqual(await removeImages(store, index, removal), [image, layer]);
  t.is(store.used, 0);
});

test('removeImages() keeps a blob that came to be needed meanwhile', async (t) => {
  const { store, index, image, layer, removal } = await setUp();
  const blobs = [{ mediaType: 'layer', digest: layer, size: 5000 }];
  await storeManifest({ store, index, nowMs: 0 }, { blobs, seed: 'other' });
  t.deepEqual(await removeImages(store, index, removal), [image]);
  t.is(await store.stat(layer), 5000);
});

test('removeImages() makes room with layers when the index cannot be written', async (t) => {
  const { store, index, image, layer, removal } = await setUp();
  const removeManifest = index.removeManifest.bind(index);
  index.removeManifest = async (digest) => {
    if ((await store.stat(layer)) !== undefined) throw new Error('no space left on device');
    t.not(await store.stat(image), undefined);
    return removeManifest(digest);
  };
  t.deepEqual(await removeImages(store, index, removal), [layer, image]);
  t.is(store.used, 0);
});

test('removeImages() rejects and keeps the manifest when the index stays broken', async (t) => {
  const { store, index, image, removal } = await setUp();
  index.removeManifest = () => Promise.reject(new Error('input/output error'));
  await t.throwsAsync(() => removeImages(store, index, removal), { message: /input\/output/ });
  t.not(await store.stat(image), undefined);
});
