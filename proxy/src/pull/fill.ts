// One running fetch of one blob, shared by all who wait for it.
//
//   running ──> stored     size and digest are right; the blob is in the store
//           ──> failed     the upstream gave out or sent wrong bytes; waiters end short
//           ──> unstored   the disk did not take it; each waiter goes on straight from the upstream
//
// No waiter's speed or end has any effect on the fill.

import type { Digest } from '../oci/digest.ts';
import { type BlobSource, ShortBlobError } from '../store/blob-store.ts';
import { HELD_BACK_TAIL } from '../store/held-back-tail.ts';
import { BlobFetch, NotStoredError } from './blob-fetch.ts';
import type { FillParts } from './fill-parts.ts';
import { FillSource } from './fill-source.ts';
import type { FillOutcome } from './observer.ts';
import { isSameOrigin, type Origin } from './origin.ts';
import { PassThroughSource } from './pass-through-source.ts';

export type FillState =
  | { readonly kind: 'running' }
  | { readonly kind: 'stored' }
  | { readonly kind: 'failed'; readonly error: unknown }
  | { readonly kind: 'unstored' };

/** A fill as people see it. */
export interface RunningFill {
  readonly digest: Digest;
  /** Where it is fetched from: `docker.io/library/debian`. */
  readonly repository: string;
  /** Bytes; absent before the upstream has said it. */
  readonly size?: number;
  /** Bytes that are there, those of an earlier fill among them. */
  readonly bytes: number;
  readonly startedMs: number;
}

/** Waiters are woken this often at most: each wake costs every waiter a read. */
const WAKE_INTERVAL_MS = 5;

export class Fill {
  readonly digest: Digest;
  /** Resolves with the size once it is known; rejects when nobody gives the blob. */
  readonly ready: Promise<number>;
  readonly #parts: FillParts;
  readonly #origins: Origin[];
  readonly #fetch: BlobFetch;
  readonly #abort: AbortController = new AbortController();
  readonly #sources: Set<FillSource> = new Set();
  #state: FillState = { kind: 'running' };
  #startedMs = 0;
  #opening = 0;
  #isFileClosed = false;
  #lastWakeMs = 0;
  #isWakeDue = false;
  #announce: (size: number) => void = () => undefined;
  #giveUp: (error: unknown) => void = () => undefined;

  /** `expected` is the size that a descriptor promised. */
  constructor(parts: FillParts, digest: Digest, origin: Origin, expected: number | undefined) {
    this.#parts = parts;
    this.digest = digest;
    this.#origins = [origin];
    this.ready = new Promise((resolve, reject) => {
      this.#announce = resolve;
      this.#giveUp = reject;
    });
    // Those who wait get the error from open(); nobody may be waiting when a fill ends early.
    this.ready.catch(() => undefined);
    this.#fetch = new BlobFetch(parts, {
      digest,
      origins: this.#origins,
      expected,
      signal: this.#abort.signal,
      onSize: (size) => this.#announce(size),
      onBytes: () => this.#wakeSoon(),
    });
  }

  get state(): FillState {
    return this.#state;
  }

  /** Bytes that waiters may have: all but the tail until the digest was found right. */
  get readable(): number {
    const size = this.#fetch.size ?? 0;
    if (this.#state.kind === 'stored') return size;
    return Math.min(this.#fetch.partial?.length ?? 0, size - HELD_BACK_TAIL);
  }

  get progress(): RunningFill {
    const { size, partial } = this.#fetch;
    const [origin] = this.#origins;
    return {
      digest: this.digest,
      repository: origin === undefined ? '' : `${origin.upstream.name}/${origin.repository}`,
      ...(size === undefined ? {} : { size }),
      bytes: partial?.length ?? 0,
      startedMs: this.#startedMs,
    };
  }

  /** Adds a place where the blob can be had, should the others refuse. */
  join(origin: Origin): void {
    if (!this.#origins.some((known) => isSameOrigin(known, origin))) this.#origins.push(origin);
  }

  /** Whether the bytes come from the upstream's answer to this very origin's request. */
  wasAnsweredFor(origin: Origin): boolean {
    const { answered } = this.#fetch;
    return answered !== undefined && isSameOrigin(answered, origin);
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
    const { partial } = this.#fetch;
    if (partial === undefined || this.#isFileClosed) throw this.#gone();
    return partial.read(into, position);
  }

  /** The rest of the blob for one waiter, when it could not be stored. */
  passThrough(size: number): PassThroughSource {
    const { runtime } = this.#parts;
    const prefix = {
      length: this.#fetch.partial?.length ?? 0,
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
    this.#startedMs = runtime.clock.now();
    observer.fillStarted();
    const outcome = await this.#work();
    observer.fillEnded(outcome, this.#fetch.received, runtime.clock.now() - this.#startedMs);
    this.#wakeAll();
    await this.#closeWhenIdle();
  }

  async #work(): Promise<FillOutcome> {
    try {
      // Another fill may have ended between the caller's look and this one's beginning.
      const present = await this.#parts.store.stat(this.digest);
      if (present === undefined) await this.#fetch.run();
      this.#state = { kind: 'stored' };
      if (present !== undefined) this.#announce(present);
      return 'stored';
    } catch (error) {
      if (error instanceof NotStoredError) return this.#goOnUnstored(error);
      return this.#fail(error);
    }
  }

  async #goOnUnstored(error: NotStoredError): Promise<FillOutcome> {
    const { log } = this.#parts;
    log.warn({ err: error, digest: this.digest }, 'a blob is served without being stored');
    try {
      if (this.#fetch.size === undefined) await this.#fetch.askSize();
      await this.#fetch.partial?.discard();
    } catch (failure) {
      return this.#fail(failure);
    }
    this.#state = { kind: 'unstored' };
    return 'passed-through';
  }

  async #fail(error: unknown): Promise<FillOutcome> {
    const { log } = this.#parts;
    this.#state = { kind: 'failed', error };
    this.#giveUp(error);
    try {
      await this.#fetch.putAside(error);
    } catch (cause) {
      log.warn({ err: cause, digest: this.digest }, 'a partial blob could not be put aside');
    }
    const repository = this.#origins[0]?.repository;
    log.warn({ err: error, digest: this.digest, repository }, 'a blob could not be fetched');
    return 'failed';
  }

  async #openStored(): Promise<BlobSource | undefined> {
    const source = await this.#parts.store.open(this.digest);
    if (source === undefined && this.#fetch.partial === undefined) throw this.#gone();
    return source;
  }

  #gone(): ShortBlobError {
    return new ShortBlobError(this.digest, 'the blob is gone');
  }

  #wakeSoon(): void {
    if (this.#isWakeDue) return;
    const { clock } = this.#parts.runtime;
    const sinceMs = clock.now() - this.#lastWakeMs;
    // A clock that was set back must not keep anybody waiting.
    const pauseMs = Math.min(WAKE_INTERVAL_MS, WAKE_INTERVAL_MS - sinceMs);
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
    if (this.#state.kind === 'running' || !isIdle || this.#isFileClosed) return;
    this.#isFileClosed = true;
    try {
      await this.#fetch.partial?.close();
    } catch (error) {
      this.#parts.log.warn({ err: error, digest: this.digest }, 'a file could not be closed');
    }
  }
}
