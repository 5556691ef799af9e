// Takes images out of the store.
//
// The index goes first, then the data: a crash in between leaves bytes that nobody promises, which
// `gc` takes away, and never a promise without its bytes.

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

/** Removes them; gives the blobs that are really gone. */
export async function removeImages(
  store: BlobStore,
  index: Index,
  removal: Removal,
): Promise<readonly Digest[]> {
  await forEachParallel(removal.manifests, PARALLEL_REMOVALS, async (digest) => {
    await index.removeManifest(digest);
  });
  // Read again: a pull may have stored a manifest that names some of the blobs since the decision.
  const named = await readNamed(index);
  const gone: Digest[] = [];
  await forEachParallel(removal.blobs, PARALLEL_REMOVALS, async (digest) => {
    if (named.has(digest) || store.isBusy(digest)) return;
    await index.forget(digest);
    if (await store.remove(digest)) gone.push(digest);
  });
  return gone;
}
