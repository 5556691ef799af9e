// What the store holds at one moment, as plain values for the decisions on what goes.

import { TurnTaker } from '../dedup/turn-taker.ts';
import type { Digest } from '../oci/digest.ts';
import type { BlobEntry, BlobStore } from './blob-store.ts';
import type { Index, ManifestRecord } from './index.ts';

export interface HeldBlob {
  /** What it takes on the disk. */
  readonly size: number;
  /** Its own bytes. */
  readonly contentSize: number;
  /** When it was stored or last used, whichever came later; ms since the epoch. */
  readonly lastUseMs: number;
  /** Whether it is being read or written now. */
  readonly isBusy: boolean;
}

export interface HeldManifest {
  /** When it was stored or last used, whichever came later; ms since the epoch. */
  readonly lastUseMs: number;
  /** Manifests, config and layers that it names. */
  readonly children: readonly Digest[];
}

export interface Holdings {
  /** All committed blobs, manifests' bytes among them. */
  readonly blobs: ReadonlyMap<Digest, HeldBlob>;
  readonly partials: ReadonlyMap<Digest, HeldBlob>;
  readonly manifests: ReadonlyMap<Digest, HeldManifest>;
}

/**
 * File systems hand out space in blocks: an empty or small file takes one.
 * 4 KiB is the default of ext4, XFS (with 4 KiB pages) and btrfs.
 */
const BLOCK_SIZE = 4096;

/** Bytes that a file of this size takes on the disk. */
export function allocatedSize(size: number): number {
  return Math.max(1, Math.ceil(size / BLOCK_SIZE)) * BLOCK_SIZE;
}

/** Bytes that a blob takes on the disk. */
export function storedSize({ size, stored = size }: BlobEntry): number {
  return allocatedSize(stored);
}

/** Reads the whole store and index; sizes are those on the disk. */
export async function readHoldings(store: BlobStore, index: Index): Promise<Holdings> {
  return {
    manifests: await readManifests(index),
    blobs: await readBlobs(store.list(), store, index),
    partials: await readBlobs(store.partials(), store, index),
  };
}

/** Everything that a manifest names, and the manifests themselves. */
export async function readNamed(index: Index): Promise<ReadonlySet<Digest>> {
  const named = new Set<Digest>();
  for await (const manifest of index.listManifests()) {
    named.add(manifest.digest);
    for (const child of childrenOf(manifest)) named.add(child);
  }
  return named;
}

export function childrenOf(record: ManifestRecord): Digest[] {
  return [...record.manifests, ...record.blobs].map((descriptor) => descriptor.digest);
}

async function readManifests(index: Index): Promise<Map<Digest, HeldManifest>> {
  const manifests = new Map<Digest, HeldManifest>();
  const turns = new TurnTaker();
  for await (const manifest of index.listManifests()) {
    if (turns.isDue()) await turns.next();
    const lastUseMs = Math.max(manifest.storedMs, await index.getLastUse(manifest.digest));
    manifests.set(manifest.digest, { lastUseMs, children: childrenOf(manifest) });
  }
  return manifests;
}

async function readBlobs(
  entries: AsyncIterable<BlobEntry>,
  store: BlobStore,
  index: Index,
): Promise<Map<Digest, HeldBlob>> {
  const blobs = new Map<Digest, HeldBlob>();
  const turns = new TurnTaker();
  for await (const entry of entries) {
    if (turns.isDue()) await turns.next();
    const { digest, modifiedMs } = entry;
    blobs.set(digest, {
      size: storedSize(entry),
      contentSize: entry.size,
      lastUseMs: Math.max(modifiedMs, await index.getLastUse(digest)),
      isBusy: store.isBusy(digest),
    });
  }
  return blobs;
}
