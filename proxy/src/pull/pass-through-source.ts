// A blob that is not stored, because there is no room: its bytes go straight from the upstream to
// one client, hashed on the way, and the last of them are held back until the hash is right.

import { type Digest, digestAlgorithm, digestHex } from '../oci/digest.ts';
import type { IncrementalHash, Runtime } from '../runtime/runtime.ts';
import { type BlobSource, ShortBlobError } from '../store/blob-store.ts';
import { HELD_BACK_TAIL } from '../store/held-back-tail.ts';
import { type ReceivedBlob, UpstreamError } from '../upstream/upstream.ts';
import { type Origin, openOrigin } from './origin.ts';

/** How often a broken body is continued before the client's body is ended. */
const MAX_RESUMES = 5;

export class PassThroughSource implements BlobSource {
  readonly size: number;
  readonly #origin: Origin;
  readonly #digest: Digest;
  readonly #runtime: Pick<Runtime, 'hashing'>;
  #hash: IncrementalHash;
  #received: ReceivedBlob | undefined;
  #chunks: AsyncIterator<Uint8Array> | undefined;
  /** Bytes received and not yet handed out, from #queueStart on. */
  #queue: Uint8Array[] = [];
  #queueStart = 0;
  #end = 0;
  #resumes = 0;
  #isVerified = false;
  #isClosed = false;

  constructor(origin: Origin, digest: Digest, size: number, runtime: Pick<Runtime, 'hashing'>) {
    this.#origin = origin;
    this.#digest = digest;
    this.size = size;
    this.#runtime = runtime;
    this.#hash = runtime.hashing.incremental(digestAlgorithm(digest));
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    if (position >= this.size) return 0;
    if (position < this.#queueStart) this.#restart();
    for (;;) {
      if (this.#isClosed) throw new ShortBlobError(this.#digest, 'the source was closed');
      const deliverable = this.#isVerified ? this.#end : this.#end - HELD_BACK_TAIL;
      if (position < deliverable) return this.#take(into, position, deliverable);
      await this.#receive();
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#received?.cancel();
    this.#queue = [];
  }

  #restart(): void {
    this.#received?.cancel();
    this.#received = undefined;
    this.#chunks = undefined;
    this.#queue = [];
    this.#queueStart = 0;
    this.#end = 0;
    this.#isVerified = false;
    this.#hash = this.#runtime.hashing.incremental(digestAlgorithm(this.#digest));
  }

  /** Copies from the queue and drops what lies before `position`. */
  #take(into: Uint8Array, position: number, deliverable: number): number {
    let first = this.#queue[0];
    while (first !== undefined && this.#queueStart + first.length <= position) {
      this.#queueStart += first.length;
      this.#queue.shift();
      first = this.#queue[0];
    }
    if (first === undefined) return 0;
    const offset = position - this.#queueStart;
    const end = Math.min(first.length, offset + into.length, deliverable - this.#queueStart);
    into.set(first.subarray(offset, end));
    return end - offset;
  }

  async #receive(): Promise<void> {
    try {
      const next = await this.#nextChunk();
      if (next === undefined) this.#verify();
      else this.#push(next);
    } catch (error) {
      if (error instanceof ShortBlobError) throw error;
      this.#received?.cancel();
      this.#received = undefined;
      this.#resumes += 1;
      const canResume = error instanceof UpstreamError && error.kind === 'transport';
      if (!canResume || this.#resumes > MAX_RESUMES) {
        throw new ShortBlobError(this.#digest, 'the upstream failed', { cause: error });
      }
    }
  }

  async #nextChunk(): Promise<Uint8Array | undefined> {
    if (this.#received === undefined || this.#chunks === undefined) {
      const received = await openOrigin(this.#origin, this.#digest, this.#end, this.#resumes);
      if (received.start !== this.#end) {
        received.cancel();
        throw new ShortBlobError(this.#digest, 'the upstream cannot continue a broken body');
      }
      this.#received = received;
      this.#chunks = received.body[Symbol.asyncIterator]();
    }
    const next = await this.#chunks.next();
    return next.done === true ? undefined : next.value;
  }

  #push(chunk: Uint8Array): void {
    if (this.#end + chunk.length > this.size) {
      throw new ShortBlobError(this.#digest, `the upstream sent more than ${this.size} bytes`);
    }
    this.#hash.update(chunk);
    this.#queue.push(chunk);
    this.#end += chunk.length;
  }

  #verify(): void {
    if (this.#end === this.size && this.#hash.hex() === digestHex(this.#digest)) {
      this.#isVerified = true;
      return;
    }
    throw new ShortBlobError(this.#digest, 'the upstream sent other bytes than the digest names');
  }
}
