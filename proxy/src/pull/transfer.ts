// A blob's bytes in order from whoever has them: continued by Range when a body breaks, from another
// URL or origin if need be. Nothing is checked here but the count; the digest is the caller's.

import type { Digest } from '../oci/digest.ts';
import type { Clock } from '../runtime/runtime.ts';
import { WrongBlobError } from '../store/blob-store.ts';
import { type ReceivedBlob, UpstreamError, type UpstreamErrorKind } from '../upstream/upstream.ts';
import { type Origin, openOrigin } from './origin.ts';

/** Failures in a row, without a byte in between, after which a transfer is given up. */
const MAX_FAILURES_IN_A_ROW = 5;

/** Breaks of one transfer in total: a link that breaks every megabyte still brings 100 MB. */
const MAX_FAILURES = 100;

/** Pauses before a broken body is continued: 0.2, 0.4 … 3.2 s, well inside a client's patience. */
const FIRST_PAUSE_MS = 200;

/** What may be over by the next try. */
const PASSING: ReadonlySet<UpstreamErrorKind> = new Set([
  'transport',
  'unavailable',
  'rate-limited',
]);

/** What another repository or credential may not meet. */
const REFUSALS: ReadonlySet<UpstreamErrorKind> = new Set(['not-found', 'unauthorized', 'denied']);

export interface TransferOptions {
  readonly digest: Digest;
  /** Tried in order; more may be added while the transfer runs. */
  readonly origins: readonly Origin[];
  /** Position of the first byte that is wanted. */
  readonly start: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly onResumed: () => void;
}

export class Transfer {
  readonly #options: TransferOptions;
  #received: ReceivedBlob | undefined;
  #chunks: AsyncIterator<Uint8Array> | undefined;
  #position: number;
  /** Bytes of the body that were had before, because the upstream ignored the Range. */
  #surplus = 0;
  #size: number | undefined;
  #origin = 0;
  #attempt = 0;
  #failuresInARow = 0;
  #failures = 0;
  #avoidsRange = false;

  constructor(options: TransferOptions) {
    this.#options = options;
    this.#position = options.start;
  }

  /** Size of the whole blob, as soon as the upstream said it or ended. */
  get size(): number | undefined {
    return this.#size;
  }

  /** Waits for the first answer and tells whose it is. A failure is final: the upstream client has tried again already. */
  async begin(): Promise<Origin> {
    try {
      return await this.#open();
    } catch (error) {
      const isInvalid = error instanceof UpstreamError && error.kind === 'invalid';
      if (!isInvalid || this.#position === 0) throw error;
      // What answers a Range wrongly may still give the whole, of which the beginning is dropped.
      this.#avoidsRange = true;
      return await this.#open();
    }
  }

  /** The next bytes; undefined at the end. Rejects with UpstreamError or WrongBlobError. */
  async next(): Promise<Uint8Array | undefined> {
    for (;;) {
      try {
        const chunk = await this.#receive();
        if (chunk === undefined || chunk.length > 0) return chunk;
      } catch (error) {
        this.cancel();
        await this.#recover(error);
      }
    }
  }

  cancel(): void {
    this.#received?.cancel();
    this.#received = undefined;
    this.#chunks = undefined;
  }

  async #receive(): Promise<Uint8Array | undefined> {
    if (this.#chunks === undefined) await this.#open();
    const next = await this.#chunks?.next();
    if (next === undefined || next.done === true) {
      this.#checkEnd();
      return undefined;
    }
    const skipped = Math.min(this.#surplus, next.value.length);
    this.#surplus -= skipped;
    const chunk = skipped === 0 ? next.value : next.value.subarray(skipped);
    this.#position += chunk.length;
    this.#checkCount();
    if (chunk.length > 0) this.#failuresInARow = 0;
    return chunk;
  }

  #checkCount(): void {
    if (this.#size === undefined || this.#position <= this.#size) return;
    throw new WrongBlobError(this.#options.digest, `${this.#size} bytes`, 'more bytes');
  }

  #checkEnd(): void {
    this.#size ??= this.#position;
    if (this.#position === this.#size) return;
    throw this.#error('transport', `the body ended at ${this.#position} of ${this.#size} bytes`);
  }

  /** Returns when it is worth trying again; else throws. */
  async #recover(error: unknown): Promise<void> {
    this.#options.signal.throwIfAborted();
    if (!(error instanceof UpstreamError)) throw error;
    if (error.kind === 'invalid' && !this.#avoidsRange) this.#avoidsRange = true;
    else if (!PASSING.has(error.kind)) throw error;
    this.#failuresInARow += 1;
    this.#failures += 1;
    if (this.#failuresInARow > MAX_FAILURES_IN_A_ROW || this.#failures > MAX_FAILURES) throw error;
    const pauseMs = FIRST_PAUSE_MS * 2 ** (this.#failuresInARow - 1);
    await this.#options.clock.sleep(pauseMs, this.#options.signal);
    this.#options.onResumed();
  }

  /** Opens the body at the present position, at the first origin that does not refuse. */
  async #open(): Promise<Origin> {
    for (;;) {
      const origin = this.#options.origins[this.#origin];
      if (origin === undefined) throw this.#error('not-found', 'no repository has the blob');
      try {
        this.#accept(await this.#request(origin));
        return origin;
      } catch (error) {
        const isRefusal = error instanceof UpstreamError && REFUSALS.has(error.kind);
        if (!isRefusal || this.#origin + 1 >= this.#options.origins.length) throw error;
        this.#origin += 1;
      }
    }
  }

  #request(origin: Origin): Promise<ReceivedBlob> {
    const { digest, signal } = this.#options;
    const start = this.#avoidsRange ? 0 : this.#position;
    const attempt = this.#attempt;
    this.#attempt += 1;
    return openOrigin(origin, digest, start, attempt, signal);
  }

  #accept(received: ReceivedBlob): void {
    if (received.start > this.#position || !this.#agrees(received.size)) {
      received.cancel();
      throw this.#error('invalid', 'a resumed body is not of the same blob');
    }
    this.#size ??= received.size;
    if (this.#size !== undefined && this.#size < this.#position) {
      received.cancel();
      throw new WrongBlobError(this.#options.digest, `${this.#size} bytes`, 'more bytes');
    }
    this.#surplus = this.#position - received.start;
    this.#received = received;
    this.#chunks = received.body[Symbol.asyncIterator]();
  }

  #agrees(size: number | undefined): boolean {
    return size === undefined || this.#size === undefined || size === this.#size;
  }

  #error(kind: UpstreamErrorKind, message: string): UpstreamError {
    const { origins, digest } = this.#options;
    const name = origins[this.#origin]?.upstream.name ?? origins[0]?.upstream.name ?? 'upstream';
    return new UpstreamError(name, kind, `${message} (${digest})`);
  }
}
