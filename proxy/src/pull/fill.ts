// One running fetch of one blob, shared by all who wait for it.
//
//   running ──> stored     size and digest are right; the blob is in the store
//           ──> failed     the upstream gave out or sent wrong bytes; waiters end short
//           ──> unstored   the disk did not take it; each waiter goes on straight from the upstream
//
// No waiter's speed or end has any effect on the fill.

import type { Log } from '../log.ts';
import type { Digest } from '../oci/digest.ts';
import type { Runtime } from '../runtime/runtime.ts';
import {
  type BlobSource,
  type BlobStore,
  type PartialBlob,
  ShortBlobError,
  WrongBlobError,
} from '../store/blob-store.ts';
import { HELD_BACK_TAIL } from '../store/held-back-tail.ts';
import type { Space } from '../store/space.ts';
import { UpstreamError } from '../upstream/upstream.ts';
import { FillSource } from './fill-source.ts';
import type { FillOutcome, Observer } from './observer.ts';
import { isSameOrigin, type Origin } from './origin.ts';
import { PassThroughSource } from './pass-through-source.ts';
import { Transfer } from './transfer.ts';

export interface FillParts {
  readonly store: BlobStore;
  readonly space: Space;
  readonly runtime: Pick<Runtime, 'clock' | 'hashing'>;
  readonly observer: Observer;
  readonly log: Log;
}

export type FillState =
  | { readonly kind: 'running' }
  | { readonly kind: 'stored' }
  | { readonly kind: 'failed'; readonly error: unknown }
  | { readonly kind: 'unstored' };

/** Waiters are woken this often at most: each wake costs every waiter a read. */
const WAKE_INTERVAL_MS = 5;

/** The store did not take the bytes: no room, or a file system's error. */
class NotStoredError extends Error {
  override readonly name = 'NotStoredError';
}

export class Fill {
  readonly digest: Digest;
  /** Resolves with the size once it is known; rejects when nobody gives the blob. */
  readonly ready: Promise<number>;
  readonly #parts: FillParts;
  readonly #origins: Origin[];
  /** The size that a descriptor promised; used when the upstream says none. */
  readonly #expected: number | undefined;
  readonly #abort: AbortController = new AbortController();
  readonly #sources: Set<FillSource> = new Set();
  #state: FillState = { kind: 'running' };
  #answered: Origin | undefined;
  #partial: PartialBlob | undefined;
  #size: number | undefined;
  /** Bytes that came in this run, for the metrics. */
  #received = 0;
  /** Bytes that the space keeps for this fill. */
  #admitted = 0;
  #opening = 0;
  #lastWakeMs = 0;
  #isWakeDue = false;
  #announce: (size: number) => void = () => undefined;
  #giveUp: (error: unknown) => void = () => undefined;

  constructor(parts: FillParts, digest: Digest, origin: Origin, expected: number | undefined) {
    this.#parts = parts;
    this.digest = digest;
    this.#origins = [origin];
    this.#expected = expected;
    this.ready = new Promise((resolve, reject) => {
      this.#announce = resolve;
      this.#giveUp = reject;
    });
    // Those who wait get the error from open(); nobody may be waiting when a fill ends early.
    this.ready.catch(() => undefined);
  }

  get state(): FillState {
    return this.#state;
  }

  /** Bytes that waiters may have: all but the tail until the digest was found right. */
  get readable(): number {
    if (this.#size === undefined) return 0;
    if (this.#state.kind === 'stored') return this.#size;
    return Math.min(this.#partial?.length ?? 0, this.#size - HELD_BACK_TAIL);
  }

  /** Adds a place where the blob can be had, should the others refuse. */
  join(origin: Origin): void {
    if (!this.#origins.some((known) => isSameOrigin(known, origin))) this.#origins.push(origin);
  }

  /** Whether the bytes come from the upstream's answer to this very origin's request. */
  wasAnsweredFor(origin: Origin): boolean {
    return this.#answered !== undefined && isSameOrigin(this.#answered, origin);
  }

  /** A reader of its own; rejects with UpstreamError when nobody gives the blob. */
  async open(): Promise<BlobSource> {
    this.#opening += 1;
    try {
      const size = await this.ready;
      const stored = this.#state.kind === 'stored' ? await this.#openStored() : undefined;
      if (stored !== undefined) return stored;
      const source = new FillSource(this, size);
      this.#sources.add(source);
      return source;
    } finally {
      this.#opening -= 1;
      await this.#closeWhenIdle();
    }
  }

  read(into: Uint8Array, position: number): Promise<number> {
    if (this.#partial === undefined) throw new ShortBlobError(this.digest, 'the blob is gone');
    return this.#partial.read(into, position);
  }

  /** The rest of the blob for one waiter, when it could not be stored. */
  passThrough(size: number): PassThroughSource {
    const { runtime } = this.#parts;
    const prefix = {
      length: this.#partial?.length ?? 0,
      read: (into: Uint8Array, position: number) => this.read(into, position),
    };
    const origins = this.#origins;
    return new PassThroughSource({ digest: this.digest, size, origins, prefix, runtime });
  }

  leave(source: FillSource): void {
    this.#sources.delete(source);
    void this.#closeWhenIdle();
  }

  /** Ends the transfer and keeps what came for the next fill. */
  abort(): void {
    this.#abort.abort(new Error('Mica is stopping'));
  }

  /** Fetches the blob. Resolves when the state is final; never rejects. */
  async run(): Promise<void> {
    const { observer, runtime } = this.#parts;
    const startedMs = runtime.clock.now();
    observer.fillStarted();
    const outcome = await this.#fetch();
    if (this.#admitted > 0) this.#parts.space.released(this.#admitted);
    observer.fillEnded(outcome, this.#received, runtime.clock.now() - startedMs);
    this.#wakeAll();
    await this.#closeWhenIdle();
  }

  async #fetch(): Promise<FillOutcome> {
    try {
      await this.#fetchAndStore();
      this.#state = { kind: 'stored' };
      return 'stored';
    } catch (error) {
      if (error instanceof NotStoredError) return this.#goOnUnstored(error);
      return this.#fail(error);
    }
  }

  async #fetchAndStore(): Promise<void> {
    const { store, space, observer } = this.#parts;
    const present = await storing(() => store.stat(this.digest));
    // Another fill may have ended between the caller's look and this one's beginning.
    if (present !== undefined) {
      this.#state = { kind: 'stored' };
      this.#learnSize(present);
      return;
    }
    this.#partial = await storing(() => store.begin(this.digest));
    if (this.#partial.length > 0) observer.fillResumed();
    const transfer = await this.#beginTransfer();
    try {
      if (transfer !== undefined) await this.#pump(transfer);
    } finally {
      transfer?.cancel();
    }
    const size = transfer?.size ?? this.#partial.length;
    const partial = this.#partial;
    await storing(() => partial.commit(size));
    this.#learnSize(size);
    space.stored(this.#admitted === 0 ? this.#received : this.#admitted);
    this.#admitted = 0;
  }

  /** Starts the transfer where the partial blob ends; undefined when that turns out to be whole. */
  async #beginTransfer(): Promise<Transfer | undefined> {
    const transfer = this.#newTransfer(this.#partial?.length ?? 0);
    try {
      this.#answered = await transfer.begin();
      return transfer;
    } catch (error) {
      if (!(error instanceof UpstreamError) || error.kind !== 'out-of-range') throw error;
      return undefined;
    }
  }

  async #pump(transfer: Transfer): Promise<void> {
    const size = transfer.size ?? this.#expected;
    if (size !== undefined) {
      // A chunked body may be of another size than a hostile manifest says: believe only the end.
      if (transfer.size !== undefined) this.#learnSize(size);
      const missing = size - (this.#partial?.length ?? 0);
      if (!(await this.#admit(missing))) throw new NotStoredError('there is no room');
    }
    for (let chunk = await transfer.next(); chunk !== undefined; chunk = await transfer.next()) {
      this.#received += chunk.length;
      await this.#append(chunk);
      this.#wakeSoon();
    }
  }

  async #append(chunk: Uint8Array): Promise<void> {
    const partial = this.#partial;
    if (partial === undefined) return;
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
    if (isAdmitted) this.#admitted += size;
    return isAdmitted;
  }

  #newTransfer(start: number): Transfer {
    const { runtime, observer } = this.#parts;
    return new Transfer({
      digest: this.digest,
      origins: this.#origins,
      start,
      clock: runtime.clock,
      signal: this.#abort.signal,
      onResumed: () => observer.fillResumed(),
    });
  }

  async #goOnUnstored(error: NotStoredError): Promise<FillOutcome> {
    const { log } = this.#parts;
    log.warn({ err: error, digest: this.digest }, 'a blob is served without being stored');
    try {
      if (this.#size === undefined) await this.#askSize();
      await this.#partial?.discard();
    } catch (failure) {
      return this.#fail(failure);
    }
    this.#state = { kind: 'unstored' };
    return 'passed-through';
  }

  /** Learns the size from the beginning of a transfer that is not read. */
  async #askSize(): Promise<void> {
    const transfer = this.#newTransfer(0);
    this.#answered = await transfer.begin();
    transfer.cancel();
    const size = transfer.size ?? this.#expected;
    if (size === undefined) throw new ShortBlobError(this.digest, 'its size is not known');
    this.#learnSize(size);
  }

  async #fail(error: unknown): Promise<FillOutcome> {
    const { log } = this.#parts;
    this.#state = { kind: 'failed', error };
    this.#giveUp(error);
    try {
      await this.#putAside(error);
    } catch (cause) {
      log.warn({ err: cause, digest: this.digest }, 'a partial blob could not be put aside');
    }
    const repository = this.#origins[0]?.repository;
    log.warn({ err: error, digest: this.digest, repository }, 'a blob could not be fetched');
    return 'failed';
  }

  /** Wrong bytes go; right ones, as far as anybody knows, wait for the next fill. */
  async #putAside(error: unknown): Promise<void> {
    const partial = this.#partial;
    if (partial === undefined) return;
    if (partial.length === 0 || error instanceof WrongBlobError) await partial.discard();
    else await partial.suspend();
  }

  #learnSize(size: number): void {
    this.#size = size;
    this.#announce(size);
  }

  async #openStored(): Promise<BlobSource | undefined> {
    const source = await this.#parts.store.open(this.digest);
    if (source === undefined && this.#partial === undefined) {
      throw new ShortBlobError(this.digest, 'the blob is gone');
    }
    return source;
  }

  #wakeSoon(): void {
    if (this.#isWakeDue) return;
    const { clock } = this.#parts.runtime;
    const pauseMs = this.#lastWakeMs + WAKE_INTERVAL_MS - clock.now();
    if (pauseMs <= 0) {
      this.#wakeAll();
      return;
    }
    this.#isWakeDue = true;
    void clock.sleep(pauseMs).then(() => this.#wakeAll());
  }

  #wakeAll(): void {
    this.#isWakeDue = false;
    this.#lastWakeMs = this.#parts.runtime.clock.now();
    for (const source of this.#sources) source.wake();
  }

  async #closeWhenIdle(): Promise<void> {
    const isIdle = this.#sources.size === 0 && this.#opening === 0;
    if (this.#state.kind === 'running' || !isIdle) return;
    const partial = this.#partial;
    this.#partial = undefined;
    try {
      await partial?.close();
    } catch (error) {
      this.#parts.log.warn({ err: error, digest: this.digest }, 'a file could not be closed');
    }
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
