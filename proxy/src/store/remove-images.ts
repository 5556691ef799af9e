// Takes images out of the store.
//
// The index goes first, then the data: a crash in between leaves bytes that nobody promises, which
// `gc` takes away, and never a promise without its bytes. On a disk without a free byte the index
// cannot be written; then layers go first, which the index does not promise: a manifest is served
// whether its layers are here or have to be fetched.

import type { Digest } from '../oci/digest.ts';
import type { BlobStore } from './blob-store.ts';
import { forEachParallel } from './for-each-parallel.ts';
import { readNamed } from './holdings.ts';
import type { Index } from './index.ts';

export interface Removal {
  /** Manifests that go, those of platforms among them. */
  readonly manifests: readonly Digest[];
  /** Blobs that go unless something came to need them meanwhile. */
  readonly blobs: readonly Digest[];
}

/** Removals at a time: an index that writes to disk takes those under way in one transaction. */
const PARALLEL_REMOVALS = 64;

/** Removes them; gives the blobs that are really gone. Rejects when the index cannot be written. */
export async function removeImages(
  store: BlobStore,
  index: Index,
  removal: Removal,
): Promise<readonly Digest[]> {
  const gone = await removeFromIndex(store, index, removal);
  // Read again: a pull may have stored a manifest that names some of the blobs since the decision.
  const named = await readNamed(index);
  await forEachParallel(removal.blobs, PARALLEL_REMOVALS, async (digest) => {
    if (named.has(digest) || store.isBusy(digest)) return;
    await index.forget(digest);
    if (await store.remove(digest)) gone.push(digest);
  });
  return gone;
}

/** Gives the layers that had to go before the index could be written; none as a rule. */
async function removeFromIndex(
  store: BlobStore,
  index: Index,
  removal: Removal,
): Promise<Digest[]> {
  const gone: Digest[] = [];
  const removeManifests = () =>
    forEachParallel(removal.manifests, PARALLEL_REMOVALS, async (digest) => {
      await index.removeManifest(digest);
    });
  try {
    await removeManifests();
  } catch {
    // The second try tells whether it was for want of room.
    const layers = removal.blobs.filter((digest) => !removal.manifests.includes(digest));
    await forEachParallel(layers, PARALLEL_REMOVALS, async (digest) => {
      if (!store.isBusy(digest) && (await store.remove(digest))) gone.push(digest);
    });
    await removeManifests();
  }
  return gone;
}
