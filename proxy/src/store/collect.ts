// Takes away what nothing refers to: left-overs of crashes and of interrupted fills.
//
// Memberships of blobs that are gone stay: they are small, and the blob is fetched again when asked for.

import type { Digest } from '../oci/digest.ts';
import type { Clock } from '../runtime/runtime.ts';
import type { BlobEntry, BlobStore } from './blob-store.ts';
import { GRACE_MS, STALE_PARTIAL_MS } from './evict.ts';
import { readNamed } from './holdings.ts';
import type { Index } from './index.ts';

/** How long damaged blobs are kept for inspection, ms: a week, so that they do not fill the disk. */
const QUARANTINE_MS = 7 * 24 * 60 * 60 * 1000;

export interface CollectOptions {
  readonly store: BlobStore;
  readonly index: Index;
  readonly clock: Pick<Clock, 'now'>;
}

export interface Collected {
  readonly blobs: number;
  readonly partials: number;
  /** Sum of the removed blobs, partial blobs and old damaged ones. */
  readonly bytes: number;
  /** Grants that had ended. */
  readonly grants: number;
}

/**
 * Removes blobs that no manifest names and no repository has, stale partial blobs, old damaged
 * blobs and ended grants.
 */
export async function collectGarbage(options: CollectOptions): Promise<Collected> {
  const { store, index, clock } = options;
  const nowMs = clock.now();
  const quarantined = await store.removeQuarantined(nowMs - QUARANTINE_MS);
  const partials = await removeStalePartials(store, nowMs);
  const blobs = await removeUnnamed(store, index, nowMs);
  return {
    blobs: blobs.length,
    partials: partials.length,
    bytes: [...blobs, ...partials].reduce(
      (sum, entry) => sum + (entry.stored ?? entry.size),
      quarantined,
    ),
    grants: await index.removeExpired(nowMs),
  };
}

async function removeStalePartials(store: BlobStore, nowMs: number): Promise<BlobEntry[]> {
  const removed: BlobEntry[] = [];
  for await (const entry of store.partials()) {
    if (entry.modifiedMs > nowMs - STALE_PARTIAL_MS || store.isBusy(entry.digest)) continue;
    if (await store.removePartial(entry.digest)) removed.push(entry);
  }
  return removed;
}

async function removeUnnamed(store: BlobStore, index: Index, nowMs: number): Promise<BlobEntry[]> {
  const repositories: string[] = [];
  for await (const repository of index.listRepositories()) repositories.push(repository);
  const named = await readNamed(index);
  const removed: BlobEntry[] = [];
  for await (const entry of store.list()) {
    const { digest } = entry;
    if (named.has(digest) || store.isBusy(digest)) continue;
    const lastUseMs = Math.max(entry.modifiedMs, await index.getLastUse(digest));
    if (lastUseMs > nowMs - GRACE_MS) continue;
    if (await hasMember(index, repositories, digest)) continue;
    // The bytes go first: the index promises nothing of them, and cannot be written on a full disk.
    if (await store.remove(digest)) removed.push(entry);
    await index.forget(digest);
  }
  return removed;
}

async function hasMember(
  index: Index,
  repositories: readonly string[],
  digest: Digest,
): Promise<boolean> {
  for (const repository of repositories) {
    if ((await index.getMembership(repository, digest)) !== undefined) return true;
  }
  return false;
}
