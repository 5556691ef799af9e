// Puts small images into a store and index, as a pull would.

import { createHash } from 'node:crypto';
import { type Digest, digestOf } from '../../src/oci/digest.ts';
import type { Descriptor } from '../../src/oci/manifest.ts';
import { OCI_IMAGE, OCI_INDEX } from '../../src/oci/media-type.ts';
import type { Tag } from '../../src/oci/reference.ts';
import { parseManifestReference } from '../../src/oci/reference.ts';
import type { BlobStore } from '../../src/store/blob-store.ts';
import type { Index } from '../../src/store/index.ts';

export interface StoreParts {
  readonly store: BlobStore;
  readonly index: Index;
  readonly nowMs: number;
}

export function sha256(bytes: Uint8Array): Digest {
  return digestOf('sha256', createHash('sha256').update(bytes).digest('hex'));
}

/** Bytes that differ for each seed. */
export function bytesOf(seed: string, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  bytes.set(new TextEncoder().encode(seed).subarray(0, size));
  return bytes;
}

export function parseTag(text: string): Tag {
  const reference = parseManifestReference(text);
  if (reference.kind !== 'tag') throw new Error(`not a tag: ${text}`);
  return reference.tag;
}

export async function storeLayer(
  store: BlobStore,
  seed: string,
  size: number,
): Promise<Descriptor> {
  const bytes = bytesOf(seed, size);
  const digest = sha256(bytes);
  await store.put(digest, bytes);
  return { mediaType: 'application/vnd.oci.image.layer.v1.tar', digest, size };
}

export interface StoreManifestOptions {
  readonly repository?: string;
  readonly tag?: string;
  readonly blobs?: readonly Descriptor[];
  readonly manifests?: readonly Descriptor[];
  /** Makes otherwise equal manifests differ. */
  readonly seed?: string;
}

/** Stores a manifest that names the children, tags it, and gives its descriptor. */
export async function storeManifest(
  parts: StoreParts,
  options: StoreManifestOptions,
): Promise<Descriptor> {
  const { store, index, nowMs } = parts;
  const { repository = 'docker.io/library/debian', blobs = [], manifests = [] } = options;
  const mediaType = manifests.length > 0 ? OCI_INDEX : OCI_IMAGE;
  const [config, ...layers] = blobs;
  const named = manifests.length > 0 ? { manifests } : { config, layers };
  const text = JSON.stringify({
    schemaVersion: 2,
    mediaType,
    ...named,
    annotations: { seed: options.seed ?? '' },
  });
  const bytes = new TextEncoder().encode(text);
  const digest = sha256(bytes);
  await store.put(digest, bytes);
  const record = { mediaType, size: bytes.length, storedMs: nowMs, manifests, blobs };
  await index.putManifest(repository, digest, record, true);
  if (options.tag !== undefined) {
    const tag = { digest, checkedMs: nowMs, withCredentials: false };
    await index.putTag(repository, parseTag(options.tag), tag);
  }
  return { mediaType, digest, size: bytes.length };
}
