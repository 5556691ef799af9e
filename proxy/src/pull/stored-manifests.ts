// Manifests that are kept: the bytes in the store, what they name in the index, the hot ones in memory.

import { LRUCache } from 'lru-cache';
import type { Log } from '../log.ts';
import { type Digest, digestAlgorithm, digestOf } from '../oci/digest.ts';
import type { Descriptor } from '../oci/manifest.ts';
import { parseManifest } from '../oci/parse-manifest.ts';
import { type Repository, repositoryKey } from '../oci/reference.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { BlobStore } from '../store/blob-store.ts';
import type { Index } from '../store/index.ts';
import type { Space } from '../store/space.ts';
import { type ReceivedManifest, UpstreamError } from '../upstream/upstream.ts';

/** Bytes of manifests kept in memory: some ten thousand of them, which are 2 to 10 KB each. */
const MAX_MEMORY_SIZE = 64 * 1024 * 1024;

export interface StoredManifest {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

export interface StoredManifestsParts {
  readonly store: BlobStore;
  readonly index: Index;
  readonly space: Space;
  readonly runtime: Pick<Runtime, 'clock' | 'hashing'>;
  readonly log: Log;
  /** A manifest was stored that names these. */
  onStored?(blobs: readonly Descriptor[]): void;
}

export class StoredManifests {
  readonly #parts: StoredManifestsParts;
  readonly #memory: LRUCache<Digest, StoredManifest> = new LRUCache({
    maxSize: MAX_MEMORY_SIZE,
    sizeCalculation: ({ bytes }) => Math.max(1, bytes.length),
  });

  constructor(parts: StoredManifestsParts) {
    this.#parts = parts;
  }

  /**
   * The manifest, checked, for who has just found its tag or membership in the index: these go with
   * the manifest, so that what memory holds was not purged by another process. Undefined when it is
   * not kept or was found damaged.
   */
  readNamed(digest: Digest): Promise<StoredManifest | undefined> {
    const { index, runtime } = this.#parts;
    const known = this.#memory.get(digest);
    if (known === undefined) return this.read(digest);
    index.touch(digest, runtime.clock.now());
    return Promise.resolve(known);
  }

  /** The manifest, checked; undefined when it is not kept or was found damaged. */
  async read(digest: Digest): Promise<StoredManifest | undefined> {
    const { index, store, runtime } = this.#parts;
    const record = await index.getManifest(digest);
    if (record === undefined) return undefined;
    const bytes = this.#memory.get(digest)?.bytes ?? (await store.read(digest));
    if (bytes === undefined) return undefined;
    const stored = { digest, mediaType: record.mediaType, bytes };
    this.#memory.set(digest, stored);
    index.touch(digest, runtime.clock.now());
    return stored;
  }

  /**
   * Checks what an upstream sent and keeps it; when the disk does not take it, it is served all the
   * same. Rejects with UpstreamError `invalid` when the bytes are not those of the digest, and with
   * MANIFEST_INVALID when they are no manifest.
   */
  async write(
    repository: Repository,
    received: ReceivedManifest,
    expected: Digest | undefined,
    shared: boolean,
  ): Promise<StoredManifest> {
    const digest = await this.#check(repository, received, expected);
    const { mediaType, manifests, blobs } = parseManifest(received.bytes, received.mediaType);
    const stored = { digest, mediaType, bytes: received.bytes };
    try {
      await this.#put(digest, received.bytes);
      const size = received.bytes.length;
      const storedMs = this.#parts.runtime.clock.now();
      const record = { mediaType, size, storedMs, manifests, blobs };
      await this.#parts.index.putManifest(repositoryKey(repository), digest, record, shared);
      this.#memory.set(digest, stored);
      this.#parts.onStored?.(blobs);
    } catch (error) {
      this.#parts.log.warn({ err: error, digest }, 'a manifest is served without being stored');
    }
    return stored;
  }

  /** Makes a kept manifest and all it names members of another repository, on the upstream's word. */
  async addTo(repository: Repository, digest: Digest, shared: boolean): Promise<void> {
    const { index } = this.#parts;
    const key = repositoryKey(repository);
    const membership = await index.getMembership(key, digest);
    if (membership !== undefined && (membership.shared || !shared)) return;
    const record = await index.getManifest(digest);
    if (record !== undefined) await index.putManifest(key, digest, record, shared);
  }

  /** The digest of what came; the one asked for, else the one the upstream says, else SHA-256. */
  async #check(
    repository: Repository,
    received: ReceivedManifest,
    expected: Digest | undefined,
  ): Promise<Digest> {
    const claimed = expected ?? received.digest;
    const algorithm = claimed === undefined ? 'sha256' : digestAlgorithm(claimed);
    const hex = await this.#parts.runtime.hashing.hash(algorithm, received.bytes);
    const digest = digestOf(algorithm, hex);
    if (claimed === undefined || claimed === digest) return digest;
    const message = `sent a manifest of digest ${digest} as ${claimed}`;
    throw new UpstreamError(repository.upstream, 'invalid', message);
  }

  async #put(digest: Digest, bytes: Uint8Array): Promise<void> {
    const { store, space } = this.#parts;
    if (!(await space.admit(bytes.length))) throw new Error('there is no room');
    try {
      await store.put(digest, bytes);
    } catch (error) {
      space.released(bytes.length);
      throw error;
    }
    space.stored(bytes.length);
  }
}
