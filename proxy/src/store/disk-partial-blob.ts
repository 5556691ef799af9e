// A blob's file while it is being filled: appended, hashed by a thread as it grows, then published.

import { type Digest, digestAlgorithm, digestHex, digestOf } from '../oci/digest.ts';
import type { FollowedHash, OpenFile, Runtime } from '../runtime/runtime.ts';
import { type PartialBlob, WrongBlobError } from './blob-store.ts';

/** What a partial blob asks of its store. */
export interface PartialBlobOwner {
  readonly runtime: Runtime;
  /** Makes the synced file visible under its digest. */
  publish(path: string, digest: Digest): Promise<void>;
  /** Writing has ended: the digest may be filled again. */
  onEnded(digest: Digest): void;
  /** Nobody reads or writes the file any more. */
  onClosed(digest: Digest): void;
}

export class DiskPartialBlob implements PartialBlob {
  readonly digest: Digest;
  readonly #path: string;
  readonly #file: OpenFile;
  readonly #owner: PartialBlobOwner;
  readonly #hash: FollowedHash;
  #length: number;
  #isEnded = false;
  #isClosed = false;

  /** `length` bytes of an earlier fill are hashed again, since nothing proves them. */
  constructor(
    digest: Digest,
    path: string,
    file: OpenFile,
    length: number,
    owner: PartialBlobOwner,
  ) {
    this.digest = digest;
    this.#path = path;
    this.#file = file;
    this.#owner = owner;
    this.#length = length;
    this.#hash = owner.runtime.hashing.follow(path, digestAlgorithm(digest));
    if (length > 0) this.#hash.extend(length);
  }

  get length(): number {
    return this.#length;
  }

  async append(bytes: Uint8Array): Promise<void> {
    if (this.#isEnded) throw new Error(`${this.digest}: writing has ended`);
    try {
      await this.#file.write(bytes, this.#length);
    } catch (error) {
      // What was written of it goes; if that fails too, the next append writes over it.
      await this.#file.truncate(this.#length).catch(() => undefined);
      throw error;
    }
    this.#length += bytes.length;
    this.#hash.extend(this.#length);
  }

  read(into: Uint8Array, position: number): Promise<number> {
    const count = Math.min(into.length, this.#length - position);
    if (count <= 0) return Promise.resolve(0);
    return this.#file.read(into.length === count ? into : into.subarray(0, count), position);
  }

  async commit(size: number): Promise<void> {
    if (this.#isEnded) throw new Error(`${this.digest}: writing has ended`);
    try {
      await this.#check(size);
      await this.#file.sync();
      await this.#owner.publish(this.#path, this.digest);
    } catch (error) {
      // After a failed sync nobody knows which bytes are on the disk, so they are not kept either.
      await this.discard();
      throw error;
    }
    this.#end();
  }

  async suspend(): Promise<void> {
    // An empty file would be listed as an interrupted fill, and is worth nothing.
    if (this.#length === 0) await this.discard();
    else this.#end();
  }

  async discard(): Promise<void> {
    if (this.#isEnded) return;
    this.#hash.close();
    try {
      await this.#owner.runtime.files.remove(this.#path);
    } finally {
      this.#end();
    }
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#end();
    try {
      await this.#file.close();
    } finally {
      this.#owner.onClosed(this.digest);
    }
  }

  async #check(size: number): Promise<void> {
    if (this.#length !== size) {
      throw new WrongBlobError(this.digest, `${size} bytes`, `${this.#length} bytes`);
    }
    const hex = await this.#hash.digest();
    if (hex !== digestHex(this.digest)) {
      const got = digestOf(digestAlgorithm(this.digest), hex);
      throw new WrongBlobError(this.digest, this.digest, got);
    }
    // The hash read the file by its name and position; a longer file would be published whole.
    const stored = await this.#file.size();
    if (stored !== size) await this.#file.truncate(size);
  }

  #end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#hash.close();
    this.#owner.onEnded(this.digest);
  }
}
