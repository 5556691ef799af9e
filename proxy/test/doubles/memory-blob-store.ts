// biome-ignore-all lint/suspicious/useAwait: the contracts are asynchronous, these answers are at hand.

// A blob store in memory: the plain form of the contract, with ways to make it fail.

import { createHash } from 'node:crypto';
import { type Digest, digestAlgorithm, digestHex } from '../../src/oci/digest.ts';
import type { Clock } from '../../src/runtime/runtime.ts';
import {
  type BlobEntry,
  type BlobSource,
  type BlobStore,
  type PartialBlob,
  ShortBlobError,
  WrongBlobError,
} from '../../src/store/blob-store.ts';
import { HELD_BACK_TAIL } from '../../src/store/held-back-tail.ts';

export interface MemoryBlobStoreOptions {
  /** Stands for the file system's clock; else every blob is as old as the epoch. */
  readonly clock?: Pick<Clock, 'now'>;
  /** Bytes that fit on the disk; appends past it reject with ENOSPC. */
  readonly capacity?: number;
  readonly onDamaged?: (digest: Digest) => void;
}

interface Stored {
  readonly bytes: Uint8Array;
  readonly modifiedMs: number;
}

export class MemoryBlobStore implements BlobStore {
  readonly quarantined: Digest[] = [];
  /** Digests that isBusy() calls busy, besides those that are. */
  readonly busy: Set<Digest> = new Set();
  /** May be changed at any time: the disk gets full, or has room again. */
  capacity: number;
  readonly #options: MemoryBlobStoreOptions;
  readonly #blobs = new Map<Digest, Stored>();
  readonly #partials = new Map<Digest, Stored>();
  readonly #writing = new Set<Digest>();
  readonly #readers = new Map<Digest, number>();

  constructor(options: MemoryBlobStoreOptions = {}) {
    this.#options = options;
    this.capacity = options.capacity ?? Number.POSITIVE_INFINITY;
  }

  /** Bytes of all blobs and partial blobs. */
  get used(): number {
    const all = [...this.#blobs.values(), ...this.#partials.values()];
    return all.reduce((sum, stored) => sum + stored.bytes.length, 0);
  }

  get nowMs(): number {
    return this.#options.clock?.now() ?? 0;
  }

  async stat(digest: Digest): Promise<number | undefined> {
    return this.#blobs.get(digest)?.bytes.length;
  }

  async open(digest: Digest): Promise<BlobSource | undefined> {
    const stored = this.#blobs.get(digest);
    if (stored === undefined) return undefined;
    this.#count(digest, 1);
    return this.#source(digest, stored.bytes);
  }

  async read(digest: Digest): Promise<Uint8Array | undefined> {
    const stored = this.#blobs.get(digest);
    if (stored === undefined) return undefined;
    if (hashOf(digest, stored.bytes) === digestHex(digest)) return stored.bytes;
    await this.quarantine(digest);
    this.#options.onDamaged?.(digest);
    return undefined;
  }

  async put(digest: Digest, bytes: Uint8Array): Promise<void> {
    const got = hashOf(digest, bytes);
    if (got !== digestHex(digest)) throw new WrongBlobError(digest, digestHex(digest), got);
    this.checkCapacity(bytes.length);
    this.#blobs.set(digest, { bytes: bytes.slice(), modifiedMs: this.nowMs });
  }

  async begin(digest: Digest): Promise<PartialBlob> {
    if (this.#writing.has(digest)) throw new Error(`${digest} is being written`);
    this.#writing.add(digest);
    const bytes = this.#partials.get(digest)?.bytes ?? new Uint8Array(0);
    this.#partials.set(digest, { bytes, modifiedMs: this.nowMs });
    return new MemoryPartialBlob(this, digest, bytes, (end, written) => {
      this.#writing.delete(digest);
      this.#partials.delete(digest);
      const stored = { bytes: written, modifiedMs: this.nowMs };
      if (end === 'commit') this.#blobs.set(digest, stored);
      if (end === 'suspend') this.#partials.set(digest, stored);
    });
  }

  async *list(): AsyncGenerator<BlobEntry> {
    yield* entriesOf(this.#blobs);
  }

  async *partials(): AsyncGenerator<BlobEntry> {
    yield* entriesOf(this.#partials);
  }

  async remove(digest: Digest): Promise<boolean> {
    return this.#blobs.delete(digest);
  }

  async removePartial(digest: Digest): Promise<boolean> {
    return this.#partials.delete(digest);
  }

  async removeQuarantined(): Promise<number> {
    this.quarantined.length = 0;
    return 0;
  }

  async quarantine(digest: Digest): Promise<void> {
    if (this.#blobs.delete(digest)) this.quarantined.push(digest);
  }

  async verify(digest: Digest): Promise<'whole' | 'damaged' | 'absent'> {
    const stored = this.#blobs.get(digest);
    if (stored === undefined) return 'absent';
    return hashOf(digest, stored.bytes) === digestHex(digest) ? 'whole' : 'damaged';
  }

  isBusy(digest: Digest): boolean {
    return this.busy.has(digest) || this.#writing.has(digest) || this.#readers.has(digest);
  }

  async close(): Promise<void> {
    // Nothing is held.
  }

  /** Puts bytes in place of a blob's, or in place of nothing, unchecked: as a broken disk would. */
  plant(digest: Digest, bytes: Uint8Array): void {
    this.#blobs.set(digest, { bytes, modifiedMs: this.nowMs });
  }

  /** Leaves a partial blob as an interrupted fill does. */
  plantPartial(digest: Digest, bytes: Uint8Array): void {
    this.#partials.set(digest, { bytes, modifiedMs: this.nowMs });
  }

  /** Flips the last bit of a stored blob. */
  damage(digest: Digest): void {
    const bytes = this.#blobs.get(digest)?.bytes.slice();
    if (bytes === undefined) throw new Error(`${digest} is not stored`);
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    this.plant(digest, bytes);
  }

  /** Throws ENOSPC when that many bytes more do not fit. */
  checkCapacity(more: number): void {
    if (this.used + more <= this.capacity) return;
    throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
  }

  /** Keeps the bytes written so far countable and listed. */
  grow(digest: Digest, bytes: Uint8Array): void {
    this.#partials.set(digest, { bytes, modifiedMs: this.nowMs });
  }

  #source(digest: Digest, bytes: Uint8Array): BlobSource {
    const isDamaged = hashOf(digest, bytes) !== digestHex(digest);
    const readable = isDamaged ? Math.max(0, bytes.length - HELD_BACK_TAIL) : bytes.length;
    let isClosed = false;
    return {
      size: bytes.length,
      read: async (into, position) => {
        if (isClosed) throw new ShortBlobError(digest, 'the source was closed');
        if (position >= bytes.length) return 0;
        if (position >= readable) {
          await this.quarantine(digest);
          this.#options.onDamaged?.(digest);
          throw new ShortBlobError(digest, 'the stored blob is damaged');
        }
        return copy(bytes.subarray(0, readable), into, position);
      },
      close: () => {
        if (!isClosed) this.#count(digest, -1);
        isClosed = true;
      },
    };
  }

  #count(digest: Digest, change: number): void {
    const readers = (this.#readers.get(digest) ?? 0) + change;
    if (readers === 0) this.#readers.delete(digest);
    else this.#readers.set(digest, readers);
  }
}

class MemoryPartialBlob implements PartialBlob {
  readonly digest: Digest;
  readonly #store: MemoryBlobStore;
  readonly #end: (end: 'commit' | 'suspend' | 'discard', bytes: Uint8Array) => void;
  #bytes: Uint8Array;

  constructor(
    store: MemoryBlobStore,
    digest: Digest,
    bytes: Uint8Array,
    end: (end: 'commit' | 'suspend' | 'discard', bytes: Uint8Array) => void,
  ) {
    this.#store = store;
    this.digest = digest;
    this.#bytes = bytes;
    this.#end = end;
  }

  get length(): number {
    return this.#bytes.length;
  }

  async append(bytes: Uint8Array): Promise<void> {
    this.#store.checkCapacity(bytes.length);
    const longer = new Uint8Array(this.#bytes.length + bytes.length);
    longer.set(this.#bytes);
    longer.set(bytes, this.#bytes.length);
    this.#bytes = longer;
    this.#store.grow(this.digest, longer);
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    return copy(this.#bytes, into, position);
  }

  async commit(size: number): Promise<void> {
    const got = hashOf(this.digest, this.#bytes);
    if (this.#bytes.length === size && got === digestHex(this.digest)) {
      this.#end('commit', this.#bytes);
      return;
    }
    this.#end('discard', this.#bytes);
    const expected = `${size} bytes, ${digestHex(this.digest)}`;
    throw new WrongBlobError(this.digest, expected, `${this.#bytes.length} bytes, ${got}`);
  }

  async suspend(): Promise<void> {
    this.#end('suspend', this.#bytes);
  }

  async discard(): Promise<void> {
    this.#end('discard', this.#bytes);
  }

  async close(): Promise<void> {
    // Nothing is held.
  }
}

function hashOf(digest: Digest, bytes: Uint8Array): string {
  return createHash(digestAlgorithm(digest)).update(bytes).digest('hex');
}

function copy(from: Uint8Array, into: Uint8Array, position: number): number {
  const slice = from.subarray(position, position + into.length);
  into.set(slice);
  return slice.length;
}

function entriesOf(stored: ReadonlyMap<Digest, Stored>): BlobEntry[] {
  return [...stored].map(([digest, { bytes, modifiedMs }]) => ({
    digest,
    size: bytes.length,
    modifiedMs,
  }));
}
