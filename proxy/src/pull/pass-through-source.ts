// A blob that is not stored, because there is no room: its bytes go straight from the upstream to
// one client, hashed on the way, and the last of them are held back until the hash is right.

import { type Digest, digestAlgorithm, digestHex } from '../oci/digest.ts';
import type { IncrementalHash, Runtime } from '../runtime/runtime.ts';
import { type BlobSource, ShortBlobError } from '../store/blob-store.ts';
import { HELD_BACK_TAIL } from '../store/held-back-tail.ts';
import type { Origin } from './origin.ts';
import { Transfer } from './transfer.ts';

/** Size of one read of the bytes that a fill had before it was given up. */
const PREFIX_READ_SIZE = 256 * 1024;

/** How often one body may begin anew: each range that goes back costs the upstream a transfer. */
const MAX_RESTARTS = 4;

/** Bytes at the blob's beginning that are there already. */
export interface Prefix {
  readonly length: number;
  read(into: Uint8Array, position: number): Promise<number>;
}

export interface PassThroughOptions {
  readonly digest: Digest;
  readonly size: number;
  readonly origins: readonly Origin[];
  readonly prefix: Prefix;
  readonly runtime: Pick<Runtime, 'clock' | 'hashing'>;
}

export class PassThroughSource implements BlobSource {
  readonly #options: PassThroughOptions;
  readonly #abort: AbortController = new AbortController();
  #hash: IncrementalHash;
  #transfer: Transfer | undefined;
  /** Bytes received and not yet handed out, from #queueStart on. */
  #queue: Uint8Array[] = [];
  #queueStart = 0;
  #end = 0;
  #isVerified = false;
  #restarts = 0;

  constructor(options: PassThroughOptions) {
    this.#options = options;
    this.#hash = options.runtime.hashing.incremental(digestAlgorithm(options.digest));
  }

  get size(): number {
    return this.#options.size;
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    if (position >= this.size) return 0;
    if (position < this.#queueStart) this.#restart();
    for (;;) {
      if (this.#abort.signal.aborted) throw this.#short('the source was closed');
      const deliverable = this.#isVerified ? this.#end : this.#end - HELD_BACK_TAIL;
      if (position < deliverable) return this.#take(into, position, deliverable);
      this.#dropBefore(Math.min(position, deliverable));
      await this.#receive();
    }
  }

  close(): void {
    this.#abort.abort();
    this.#transfer?.cancel();
    this.#queue = [];
  }

  /** Begins anew for a reader that goes back, such as the second of two ranges. */
  #restart(): void {
    this.#restarts += 1;
    if (this.#restarts > MAX_RESTARTS)
      throw this.#short('its ranges would cost too many transfers');
    this.#transfer?.cancel();
    this.#transfer = undefined;
    this.#queue = [];
    this.#queueStart = 0;
    this.#end = 0;
    this.#isVerified = false;
    const { runtime, digest } = this.#options;
    this.#hash = runtime.hashing.incremental(digestAlgorithm(digest));
  }

  #dropBefore(position: number): void {
    let first = this.#queue[0];
    while (first !== undefined && this.#queueStart + first.length <= position) {
      this.#queueStart += first.length;
      this.#queue.shift();
      first = this.#queue[0];
    }
  }

  #take(into: Uint8Array, position: number, deliverable: number): number {
    this.#dropBefore(position);
    const first = this.#queue[0];
    if (first === undefined) return 0;
    const offset = position - this.#queueStart;
    const end = Math.min(first.length, offset + into.length, deliverable - this.#queueStart);
    into.set(first.subarray(offset, end));
    return end - offset;
  }

  async #receive(): Promise<void> {
    try {
      const chunk = await this.#next();
      if (chunk === undefined) this.#verify();
      else this.#push(chunk);
    } catch (error) {
      if (error instanceof ShortBlobError) throw error;
      throw this.#short('the upstream failed', error);
    }
  }

  async #next(): Promise<Uint8Array | undefined> {
    const { prefix, size } = this.#options;
    if (this.#end === size) return undefined;
    if (this.#end < prefix.length) {
      const piece = new Uint8Array(Math.min(PREFIX_READ_SIZE, prefix.length - this.#end));
      return piece.subarray(0, await prefix.read(piece, this.#end));
    }
    this.#transfer ??= this.#open();
    return this.#transfer.next();
  }

  #open(): Transfer {
    const { digest, origins, runtime } = this.#options;
    const signal = this.#abort.signal;
    const { clock } = runtime;
    return new Transfer({
      digest,
      origins,
      start: this.#end,
      clock,
      signal,
      onResumed: () => undefined,
    });
  }

  #push(chunk: Uint8Array): void {
    if (chunk.length === 0) throw this.#short('the disk gave out');
    if (this.#end + chunk.length > this.size) {
      throw this.#short(`the upstream sent more than ${this.size} bytes`);
    }
    this.#hash.update(chunk);
    this.#queue.push(chunk);
    this.#end += chunk.length;
  }

  #verify(): void {
    if (this.#end !== this.size || this.#hash.hex() !== digestHex(this.#options.digest)) {
      throw this.#short('the upstream sent other bytes than the digest names');
    }
    this.#isVerified = true;
  }

  #short(message: string, cause?: unknown): ShortBlobError {
    return new ShortBlobError(this.#options.digest, message, { cause });
  }
}
