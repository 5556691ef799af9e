// Where whole blobs live: content-addressed, and invisible until it was checked.
//
// A blob's life: begin() gives the digest's partial blob, bytes are appended, commit() checks size
// and digest, makes them durable and only then visible to stat(), open() and list(). A crash at any
// moment leaves either the committed blob or the partial one.

import type { Digest } from '../oci/digest.ts';

/** Bytes that can be read from any position, now or as they arrive. */
export interface BlobSource {
  readonly size: number;
  /** The same for all sources whose bytes are the same and checked; undefined while that is not known. */
  readonly identity?: object | undefined;
  /**
   * Reads at most `into.length` bytes from `position`, waiting until at least one is there.
   * Gives 0 only at `size`. Rejects with ShortBlobError when the rest will not come.
   */
  read(into: Uint8Array, position: number): Promise<number>;
  /** Frees what the source holds; reads in progress may reject. Calling it twice is fine. */
  close(): void;
}

export interface BlobEntry {
  readonly digest: Digest;
  readonly size: number;
  /** Bytes kept for it, when these are others than its own: of a layer that is made from files. */
  readonly stored?: number;
  readonly modifiedMs: number;
}

/** Bytes of a blob that are not yet all there. One writer, any number of readers. */
export interface PartialBlob {
  readonly digest: Digest;
  /** Bytes written so far; more than 0 at once when an earlier fill was interrupted. */
  readonly length: number;
  /** Appends. Rejects with the file system's error (`ENOSPC`) and then has appended nothing. */
  append(bytes: Uint8Array): Promise<void>;
  /** Reads bytes that were already appended; keeps working after commit until close(). */
  read(into: Uint8Array, position: number): Promise<number>;
  /** Checks size and digest, syncs and publishes. Rejects with WrongBlobError and then has discarded the bytes. */
  commit(size: number): Promise<void>;
  /** Ends writing and keeps the bytes for the next begin(). */
  suspend(): Promise<void>;
  /** Ends writing and removes the bytes. */
  discard(): Promise<void>;
  /** Frees the file; after commit, suspend or discard, once no reader is left. */
  close(): Promise<void>;
}

export interface BlobStore {
  /** Size of a committed blob. */
  stat(digest: Digest): Promise<number | undefined>;
  /**
   * Opens a committed blob. Unless its bytes were checked lately, they are hashed while it is read
   * and its last bytes are held back until they were found right.
   */
  open(digest: Digest): Promise<BlobSource | undefined>;
  /** Reads a small committed blob whole, checked against its digest; undefined when absent or damaged. */
  read(digest: Digest): Promise<Uint8Array | undefined>;
  /** Stores bytes in memory; checks, syncs and publishes them as commit() does. */
  put(digest: Digest, bytes: Uint8Array): Promise<void>;
  /** The digest's partial blob, with the bytes of an interrupted fill. One at a time per digest. */
  begin(digest: Digest): Promise<PartialBlob>;
  list(): AsyncIterable<BlobEntry>;
  partials(): AsyncIterable<BlobEntry>;
  /** Removes a committed blob; open sources keep reading it. False when it was not there. */
  remove(digest: Digest): Promise<boolean>;
  removePartial(digest: Digest): Promise<boolean>;
  /** Takes a damaged blob out of sight and keeps its bytes for inspection. */
  quarantine(digest: Digest): Promise<void>;
  /** Removes what went to quarantine before then; gives its bytes. */
  removeQuarantined(beforeMs: number): Promise<number>;
  /** Hashes a committed blob off the event loop. */
  verify(digest: Digest): Promise<'whole' | 'damaged' | 'absent'>;
  /** Whether anything reads or writes the blob in this process. */
  isBusy(digest: Digest): boolean;
  close(): Promise<void>;
}

/** The bytes that were promised will not all come; what was read before is right. */
export class ShortBlobError extends Error {
  override readonly name = 'ShortBlobError';
  readonly digest: Digest;

  constructor(digest: Digest, message: string, options?: ErrorOptions) {
    super(message, options);
    this.digest = digest;
  }
}

/** The bytes are not those of the digest, or not as many as promised. */
export class WrongBlobError extends Error {
  override readonly name = 'WrongBlobError';
  readonly digest: Digest;
  readonly expected: string;
  readonly got: string;

  constructor(digest: Digest, expected: string, got: string) {
    super(`${digest}: expected ${expected}, got ${got}`);
    this.digest = digest;
    this.expected = expected;
    this.got = got;
  }
}
