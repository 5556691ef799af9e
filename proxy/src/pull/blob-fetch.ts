// The work of a fill: brings one blob from an upstream into the store.

import { type Digest, isEmptyDigest } from '../oci/digest.ts';
import { type PartialBlob, ShortBlobError, WrongBlobError } from '../store/blob-store.ts';
import { UpstreamError } from '../upstream/upstream.ts';
import type { FillParts } from './fill-parts.ts';
import type { Origin } from './origin.ts';
import { Transfer } from './transfer.ts';

export interface BlobFetchOptions {
  readonly digest: Digest;
  /** Tried in order; more may be added while the fetch runs. */
  readonly origins: readonly Origin[];
  /** The size that a descriptor promised; used when the upstream says none. */
  readonly expected: number | undefined;
  readonly signal: AbortSignal;
  /** The blob's size is known, maybe long before its last byte. */
  readonly onSize: (size: number) => void;
  /** More bytes are in the partial blob. */
  readonly onBytes: () => void;
}

/** The store did not take the bytes: no room, or a file system's error. */
export class NotStoredError extends Error {
  override readonly name = 'NotStoredError';
}

export class BlobFetch {
  readonly #parts: FillParts;
  readonly #options: BlobFetchOptions;
  #partial: PartialBlob | undefined;
  #answered: Origin | undefined;
  #size: number | undefined;
  #received = 0;
  /** What the space keeps for this fetch; more than one after the disk was full in the middle. */
  readonly #admitted: number[] = [];

  constructor(parts: FillParts, options: BlobFetchOptions) {
    this.#parts = parts;
    this.#options = options;
  }

  /** What has come; it can be read until it is closed. Absent before the first step. */
  get partial(): PartialBlob | undefined {
    return this.#partial;
  }

  /** Whose request the upstream answered with the bytes. */
  get answered(): Origin | undefined {
    return this.#answered;
  }

  get size(): number | undefined {
    return this.#size;
  }

  /** Bytes that came in this run. */
  get received(): number {
    return this.#received;
  }

  /** Fetches, checks and commits. Rejects with NotStoredError, WrongBlobError or UpstreamError. */
  async run(): Promise<void> {
    const { space } = this.#parts;
    try {
      const size = await this.#fetch();
      this.#learnSize(size);
      space.stored(this.#admitted.shift() ?? this.#received);
    } finally {
      for (const room of this.#admitted.splice(0)) space.released(room);
    }
  }

  /** Learns the size from the beginning of a transfer that is not read. */
  async askSize(): Promise<void> {
    const transfer = this.#newTransfer(0);
    this.#answered = await transfer.begin();
    transfer.cancel();
    const { digest, expected } = this.#options;
    const size = transfer.size ?? expected;
    if (size === undefined || (size === 0 && !isEmptyDigest(digest)))
      throw new ShortBlobError(digest, 'its size is not known');
    this.#learnSize(size);
  }

  /** Wrong bytes go; right ones, as far as anybody knows, wait for the next fetch. */
  async putAside(error: unknown): Promise<void> {
    const partial = this.#partial;
    if (partial === undefined) return;
    if (partial.length === 0 || error instanceof WrongBlobError) await partial.discard();
    else {
      await partial.suspend();
      this.#parts.space.stored(this.#received);
    }
  }

  async #fetch(): Promise<number> {
    const { store, observer } = this.#parts;
    const partial = await storing(() => store.begin(this.#options.digest));
    this.#partial = partial;
    if (partial.length > 0) observer.fillResumed();
    const transfer = await this.#beginTransfer(partial);
    try {
      if (transfer !== undefined) await this.#pump(transfer, partial);
    } finally {
      transfer?.cancel();
    }
    const size = transfer?.size ?? partial.length;
    await storing(() => partial.commit(size));
    return size;
  }

  /** Starts the transfer where the partial blob ends; undefined when that turns out to be whole. */
  async #beginTransfer(partial: PartialBlob): Promise<Transfer | undefined> {
    const transfer = this.#newTransfer(partial.length);
    try {
      this.#answered = await transfer.begin();
      return transfer;
    } catch (error) {
      if (!(error instanceof UpstreamError) || error.kind !== 'out-of-range') throw error;
      return undefined;
    }
  }

  async #pump(transfer: Transfer, partial: PartialBlob): Promise<void> {
    // A chunked body may be of another size than a hostile manifest says: only its end tells. And an
    // empty body has no tail to hold back: it is announced when it was found right.
    if (transfer.size !== undefined && transfer.size > 0) this.#learnSize(transfer.size);
    const size = transfer.size ?? this.#options.expected;
    if (size !== undefined && !(await this.#admit(size - partial.length))) {
      throw new NotStoredError('there is no room');
    }
    for (let chunk = await transfer.next(); chunk !== undefined; chunk = await transfer.next()) {
      this.#received += chunk.length;
      await this.#append(partial, chunk);
      this.#options.onBytes();
    }
  }

  async #append(partial: PartialBlob, chunk: Uint8Array): Promise<void> {
    try {
      await partial.append(chunk);
    } catch (error) {
      const rest = Math.max(chunk.length, (this.#size ?? 0) - partial.length);
      const hasRoom = isNoSpace(error) && (await this.#admit(rest));
      if (!hasRoom) throw new NotStoredError('the disk is full or broken', { cause: error });
      await storing(() => partial.append(chunk));
    }
  }

  async #admit(size: number): Promise<boolean> {
    const isAdmitted = await this.#parts.space.admit(size);
    if (isAdmitted) this.#admitted.push(size);
    return isAdmitted;
  }

  #newTransfer(start: number): Transfer {
    const { runtime, observer } = this.#parts;
    const { digest, origins, signal } = this.#options;
    const { clock } = runtime;
    const onResumed = () => observer.fillResumed();
    return new Transfer({ digest, origins, start, clock, signal, onResumed });
  }

  #learnSize(size: number): void {
    this.#size = size;
    this.#options.onSize(size);
  }
}

function isNoSpace(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOSPC';
}

/** Runs a step of storing: whatever fails but a wrong digest means that the disk does not take it. */
async function storing<Value>(step: () => Promise<Value>): Promise<Value> {
  try {
    return await step();
  } catch (error) {
    if (error instanceof WrongBlobError) throw error;
    throw new NotStoredError('the store failed', { cause: error });
  }
}
