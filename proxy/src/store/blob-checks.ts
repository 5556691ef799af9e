// Which blobs were found whole lately, and the checks that are under way.

import { LRUCache } from 'lru-cache';
import { type Digest, digestAlgorithm, digestHex } from '../oci/digest.ts';
import type { FollowedHash, Runtime } from '../runtime/runtime.ts';
import { hasCode } from './file-error.ts';
import { HELD_BACK_TAIL } from './held-back-tail.ts';
import type { OpenBlob } from './open-blobs.ts';
import type { Verdict } from './stored-source.ts';

/** Blobs whose check is remembered: some 20 MB, and more layers than an edge site keeps. */
const MAX_CHECKED = 65_536;

/** Bytes per read where the event loop has to hash: 40 us of SHA-256. */
const READ_SIZE = 64 * 1024;

export class BlobChecks {
  readonly #runtime: Runtime;
  readonly #recheckMs: number;
  readonly #checked: LRUCache<Digest, number> = new LRUCache({ max: MAX_CHECKED });
  readonly #running: Map<OpenBlob, Promise<Verdict>> = new Map();
  readonly #hashes: Set<FollowedHash> = new Set();

  /** After `recheckMs` a blob is checked again. */
  constructor(runtime: Runtime, recheckMs: number) {
    this.#runtime = runtime;
    this.#recheckMs = recheckMs;
  }

  isFresh(digest: Digest): boolean {
    const checkedMs = this.#checked.get(digest);
    return checkedMs !== undefined && this.#runtime.clock.now() - checkedMs < this.#recheckMs;
  }

  remember(digest: Digest): void {
    this.#checked.set(digest, this.#runtime.clock.now());
  }

  forget(digest: Digest): void {
    this.#checked.delete(digest);
  }

  /** Checks an open blob; all who ask meanwhile share one check. Never rejects. */
  run(blob: OpenBlob, path: string): Promise<Verdict> {
    const running = this.#running.get(blob);
    if (running !== undefined) return running;
    const check = this.#check(blob, path).finally(() => this.#running.delete(blob));
    this.#running.set(blob, check);
    return check;
  }

  /** Ends the checks that are under way; their verdict is `unknown`. */
  close(): void {
    for (const hash of this.#hashes) hash.close();
  }

  async #check(blob: OpenBlob, path: string): Promise<Verdict> {
    try {
      const hex = await (blob.size <= HELD_BACK_TAIL
        ? this.#hashDescriptor(blob)
        : this.#hashFile(blob, path));
      if (hex !== digestHex(blob.digest)) return 'damaged';
      if (!blob.isRetired) this.remember(blob.digest);
      return 'whole';
    } catch (error) {
      // SHORT: the file has fewer bytes than its size said.
      return hasCode(error, 'EIO') || hasCode(error, 'SHORT') ? 'damaged' : 'unknown';
    }
  }

  async #hashFile(blob: OpenBlob, path: string): Promise<string> {
    const hash = this.#runtime.hashing.follow(path, digestAlgorithm(blob.digest));
    this.#hashes.add(hash);
    try {
      hash.extend(blob.size);
      return await hash.digest();
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) throw error;
      // The name went before the thread had opened it; the descriptor still has the bytes.
      return await this.#hashDescriptor(blob);
    } finally {
      this.#hashes.delete(hash);
      hash.close();
    }
  }

  async #hashDescriptor(blob: OpenBlob): Promise<string> {
    const hash = this.#runtime.hashing.incremental(digestAlgorithm(blob.digest));
    const buffer = new Uint8Array(Math.min(READ_SIZE, blob.size));
    for (let position = 0; position < blob.size; ) {
      const count = await blob.file.read(buffer, position);
      if (count === 0) break;
      hash.update(buffer.subarray(0, count));
      position += count;
    }
    return hash.hex();
  }
}
