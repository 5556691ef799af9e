import test from 'ava';
import { purge } from '../../src/commands/purge.ts';
import { parseTag, type StoreParts, storeLayer, storeManifest } from '../store/store-images.ts';
import { makeCommandFolder } from './command-folder.ts';

const DEBIAN = 'docker.io/library/debian';

/** Two images that share a layer; the first is an index of one platform. */
async function storeTwo(parts: StoreParts) {
  const shared = await storeLayer(parts.store, 'shared', 5000);
  const own = await storeLayer(parts.store, 'own', 6000);
  const image = await storeManifest(parts, { blobs: [shared, own] });
  const index = await storeManifest(parts, { manifests: [image], tag: '12' });
  const other = await storeManifest(parts, { blobs: [shared], tag: '13' });
  return { shared, own, image, index, other };
}

test('purge() removes an image and what nobody else needs', async (t) => {
  const folder = await makeCommandFolder(t);
  const stored = await folder.use(storeTwo);
  const context = folder.context();
  t.is(await purge(context, 'debian:12', { json: true }), 0);
  t.like(context.terminal.json(), { digest: stored.index.digest, tags: 1, manifests: 2, blobs: 3 });
  await folder.use(async ({ store, index }) => {
    t.is(await store.stat(stored.own.digest), undefined);
    t.is(await store.stat(stored.index.digest), undefined);
    t.is(await store.stat(stored.shared.digest), 5000);
    t.is(await index.getTag(DEBIAN, parseTag('12')), undefined);
    t.is(await index.getManifest(stored.image.digest), undefined);
    t.not(await index.getManifest(stored.other.digest), undefined);
    t.is(await index.getMembership(DEBIAN, stored.own.digest), undefined);
  });
});

test('purge() removes only the tag while another tag leads to the image', async (t) => {
  const folder = await makeCommandFolder(t);
  const stored = await folder.use(async (parts) => {
    const two = await storeTwo(parts);
    const tag = { digest: two.index.digest, checkedMs: 0, withCredentials: false };
    await parts.index.putTag(DEBIAN, parseTag('bookworm'), tag);
    return two;
  });
  const context = folder.context();
  t.is(await purge(context, 'debian:12', { json: true }), 0);
  t.like(context.terminal.json(), { tags: 1, manifests: 0, keptFor: `${DEBIAN}:bookworm` });
  t.is(await folder.use(({ store }) => store.stat(stored.own.digest)), 6000);
  const named = `${DEBIAN}@${stored.index.digest}`;
  t.is(await purge(folder.context(), named, {}), 0);
  t.is(await folder.use(({ store }) => store.stat(stored.own.digest)), undefined);
});

test('purge() ends only the membership while another repository has the image', async (t) => {
  const folder = await makeCommandFolder(t);
  const layer = await folder.use(async (parts) => {
    const blob = await storeLayer(parts.store, 'layer', 5000);
    await storeManifest(parts, { blobs: [blob], tag: '1' });
    await storeManifest(parts, { blobs: [blob], tag: '1', repository: 'ghcr.io/o/r' });
    return blob;
  });
  t.is(await purge(folder.context(), 'debian:1', {}), 0);
  await folder.use(async ({ store, index }) => {
    t.is(await index.getMembership(DEBIAN, layer.digest), undefined);
    t.not(await index.getMembership('ghcr.io/o/r', layer.digest), undefined);
    t.is(await store.stat(layer.digest), 5000);
  });
});

test('purge() fails when nothing of the name is stored', async (t) => {
  const folder = await makeCommandFolder(t);
  const context = folder.context();
  t.is(await purge(context, 'debian', {}), 1);
  t.regex(context.terminal.stdout, /docker\.io\/library\/debian:latest is not stored/);
});

test('purge() gives 2 when the name is none', async (t) => {
  const folder = await makeCommandFolder(t);
  const context = folder.context();
  t.is(await purge(context, 'NO NAME', {}), 2);
  t.regex(context.terminal.stderr, /NO NAME/);
});
