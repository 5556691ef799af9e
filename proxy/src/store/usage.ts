// What the store holds, counted.

import type { BlobEntry, BlobStore } from './blob-store.ts';
import { storedSize } from './holdings.ts';
import type { Index } from './index.ts';

export interface Bytes {
  readonly count: number;
  /** Sum of the contents. */
  readonly bytes: number;
  /** What they take on the disk. */
  readonly allocated: number;
}

export interface Usage {
  readonly blobs: Bytes;
  readonly partials: Bytes;
  /** Manifests that no other manifest names. */
  readonly images: number;
  readonly manifests: number;
  readonly tags: number;
  readonly repositories: number;
}

/** Reads the whole store and index. */
export async function measureUsage(store: BlobStore, index: Index): Promise<Usage> {
  return {
    blobs: await measureBytes(store.list()),
    partials: await measureBytes(store.partials()),
    ...(await countManifests(index)),
    tags: await countAll(index.listTags()),
    repositories: await countAll(index.listRepositories()),
  };
}

export async function measureBytes(entries: AsyncIterable<BlobEntry>): Promise<Bytes> {
  let count = 0;
  let bytes = 0;
  let allocated = 0;
  for await (const entry of entries) {
    count += 1;
    bytes += entry.size;
    allocated += storedSize(entry);
  }
  return { count, bytes, allocated };
}

async function countManifests(index: Index): Promise<{ images: number; manifests: number }> {
  const all = new Set<string>();
  const named = new Set<string>();
  for await (const manifest of index.listManifests()) {
    all.add(manifest.digest);
    for (const child of manifest.manifests) named.add(child.digest);
  }
  return { images: [...all].filter((digest) => !named.has(digest)).length, manifests: all.size };
}

async function countAll(items: AsyncIterable<unknown>): Promise<number> {
  let count = 0;
  for await (const _ of items) count += 1;
  return count;
}
