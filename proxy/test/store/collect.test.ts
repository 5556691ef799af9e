import test from 'ava';
import { collectGarbage } from '../../src/store/collect.ts';
import { GRACE_MS, STALE_PARTIAL_MS } from '../../src/store/evict.ts';
import { FakeClock } from '../doubles/fake-clock.ts';
import { MemoryBlobStore } from '../doubles/memory-blob-store.ts';
import { MemoryIndex } from '../doubles/memory-index.ts';
import { bytesOf, sha256, storeLayer, storeManifest } from './store-images.ts';

function setUp() {
  const clock = new FakeClock();
  const store = new MemoryBlobStore({ clock });
  const index = new MemoryIndex();
  return { clock, store, index, collect: () => collectGarbage({ store, index, clock }) };
}

test('collectGarbage() removes a blob that nothing names once it is old', async (t) => {
  const { clock, store, collect } = setUp();
  const lost = await storeLayer(store, 'lost', 5000);
  t.like(await collect(), { blobs: 0, bytes: 0 });
  await clock.advance(GRACE_MS);
  t.like(await collect(), { blobs: 1, bytes: 5000 });
  t.is(await store.stat(lost.digest), undefined);
});

test('collectGarbage() keeps what a manifest names, a repository has or somebody reads', async (t) => {
  const { clock, store, index, collect } = setUp();
  const named = await storeLayer(store, 'named', 1000);
  const member = await storeLayer(store, 'member', 1000);
  const read = await storeLayer(store, 'read', 1000);
  await storeManifest({ store, index, nowMs: clock.now() }, { blobs: [named] });
  await index.putMembership('ghcr.io/o/r', member.digest, { shared: true });
  const source = await store.open(read.digest);
  await clock.advance(GRACE_MS);
  t.like(await collect(), { blobs: 0 });
  source?.close();
  t.like(await collect(), { blobs: 1 });
});

test('collectGarbage() removes stale partial blobs and ended grants', async (t) => {
  const { clock, store, index, collect } = setUp();
  const bytes = bytesOf('half', 3000);
  store.plantPartial(sha256(bytes), bytes.subarray(0, 1500));
  await index.putGrant('ghcr.io/o/r', 'credential', clock.now() + 1);
  t.like(await collect(), { partials: 0, grants: 0 });
  await clock.advance(STALE_PARTIAL_MS);
  t.like(await collect(), { partials: 1, bytes: 1500, grants: 1 });
});
