// Takes layers apart one after another, as the durable queue of the index gives them, while the mirror
// serves.
//
// A layer is claimed for a while and the claim renewed, so that no two processes work on one layer, and
// what a killed process left is taken up again. What fails for reasons that may pass waits, longer each
// time; what failed too often stays whole.

import type { Log } from '../log.ts';
import type { Digest } from '../oci/digest.ts';
import type { Clock } from '../runtime/runtime.ts';
import type { FileIndex, QueueEntry } from './file-index.ts';

/** How long a claim holds without a word of its owner, ms. */
const LEASE_MS = 60_000;

/** How often it is renewed, ms: two renewals may fail. */
const RENEWAL_MS = 20_000;

/** How often the queue is looked at when nobody said that something came, ms. */
const POLL_MS = 10_000;

/** Pauses after a failure, ms: doubled each time. A full disk is looked at again within the hour. */
const FIRST_PAUSE_MS = 10_000;
const MAX_PAUSE_MS = 60 * 60 * 1000;

/** Beginnings after which a layer stays whole: some hours of trying, or so many crashes. */
const MAX_ATTEMPTS = 12;

/** The reason of a layer that was begun too often. */
export const GIVEN_UP = 'GIVEN_UP';

/** How long a layer waits while the mirror is busy, at most, and how often it looks, ms. */
const MAX_BUSY_MS = 30_000;
const BUSY_POLL_MS = 250;

export interface IngestQueueOptions {
  readonly index: FileIndex;
  readonly clock: Clock;
  readonly log: Log;
  /** Unlike that of every other queue, in this process or another, now or before. */
  readonly owner: string;
  /** Whether the mirror has work that should not wait for an ingest. */
  isBusy(): boolean;
  /** Takes a layer apart and out of the queue; rejects with what may pass. */
  ingest(digest: Digest, signal: AbortSignal): Promise<void>;
}

/** Somebody else has the layer now. */
class ClaimLostError extends Error {
  override readonly name = 'ClaimLostError';
}

export class IngestQueue {
  readonly #options: IngestQueueOptions;
  readonly #ended = new AbortController();
  #wake: () => void = () => undefined;
  #isWoken = false;
  #running: Promise<void> | undefined;
  #current: Digest | undefined;

  constructor(options: IngestQueueOptions) {
    this.#options = options;
  }

  /** The layer that is being taken apart. */
  get current(): Digest | undefined {
    return this.#current;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Says that a layer was put into the queue. */
  wake(): void {
    this.#isWoken = true;
    this.#wake();
  }

  /** Ends the layer that is worked on; it is taken up again at the next start. */
  async close(): Promise<void> {
    this.#ended.abort(new Error('Mica is stopping'));
    this.#wake();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#ended.signal.aborted) {
      try {
        if (!(await this.#workOnce())) await this.#untilWoken();
      } catch (error) {
        if (this.#ended.signal.aborted) return;
        this.#options.log.error({ err: error }, 'the queue of layers cannot be worked on');
        await this.#sleep(FIRST_PAUSE_MS);
      }
    }
  }

  /** Works on the next layer; false when there is none. */
  async #workOnce(): Promise<boolean> {
    const { index, owner, clock } = this.#options;
    this.#isWoken = false;
    await this.#untilQuiet();
    if (this.#ended.signal.aborted) return false;
    const nowMs = clock.now();
    const entry = await index.claim(owner, nowMs, nowMs + LEASE_MS);
    if (entry === undefined) return false;
    this.#current = entry.digest;
    try {
      await this.#work(entry);
    } finally {
      this.#current = undefined;
    }
    return true;
  }

  async #work(entry: QueueEntry): Promise<void> {
    const { index, log, clock, owner } = this.#options;
    const { digest, attempts } = entry;
    if (attempts > MAX_ATTEMPTS) {
      log.warn({ digest, attempts }, 'a layer was begun too often; it stays whole');
      await index.putWhole(digest, {
        kind: 'whole',
        size: 0,
        reason: GIVEN_UP,
        storedMs: clock.now(),
      });
      return;
    }
    const abort = new AbortController();
    const end = () => abort.abort(this.#ended.signal.reason);
    this.#ended.signal.addEventListener('abort', end, { once: true });
    const renewing = this.#keepClaim(digest, abort);
    try {
      abort.signal.throwIfAborted();
      await this.#options.ingest(digest, abort.signal);
    } catch (error) {
      if (abort.signal.reason instanceof ClaimLostError) return;
      // Stopping is nobody's failure: the layer is free for the next start at once.
      const pauseMs = this.#ended.signal.aborted ? 0 : pauseAfter(attempts);
      if (pauseMs > 0)
        log.warn({ err: error, digest, attempts }, 'a layer could not be taken apart');
      await index.release(digest, owner, clock.now() + pauseMs);
    } finally {
      this.#ended.signal.removeEventListener('abort', end);
      abort.abort();
      await renewing;
    }
  }

  /** Renews the claim until the work ends; ends the work when the claim is lost. */
  async #keepClaim(digest: Digest, work: AbortController): Promise<void> {
    const { index, owner, clock, log } = this.#options;
    for (;;) {
      // The only rejection of sleep() is the abort.
      await clock.sleep(RENEWAL_MS, work.signal).catch(() => undefined);
      if (work.signal.aborted) return;
      try {
        if (await index.renew(digest, owner, clock.now() + LEASE_MS)) continue;
        work.abort(new ClaimLostError(`${digest} was claimed by somebody else`));
      } catch (error) {
        log.warn({ err: error, digest }, 'a claim could not be renewed');
      }
    }
  }

  async #untilQuiet(): Promise<void> {
    const { clock, isBusy } = this.#options;
    const untilMs = clock.now() + MAX_BUSY_MS;
    while (isBusy() && clock.now() < untilMs && !this.#ended.signal.aborted) {
      await this.#sleep(BUSY_POLL_MS);
    }
  }

  async #untilWoken(): Promise<void> {
    if (this.#isWoken || this.#ended.signal.aborted) return;
    const waiting = new AbortController();
    this.#wake = () => waiting.abort();
    await this.#options.clock.sleep(POLL_MS, waiting.signal).catch(() => undefined);
    this.#wake = () => undefined;
  }

  async #sleep(durationMs: number): Promise<void> {
    await this.#options.clock.sleep(durationMs, this.#ended.signal).catch(() => undefined);
  }
}

function pauseAfter(attempts: number): number {
  return Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (attempts - 1));
}
