// What becomes of a layer whose turn it is: taken apart, or left whole for a reason; and then of its whole
// copy.

import type { Log } from '../log.ts';
import type { Digest } from '../oci/digest.ts';
import type { BlobStore } from '../store/blob-store.ts';
import type { Space } from '../store/space.ts';
import {
  type IngestOutcome,
  type IngestParts,
  type IngestStep,
  ingestLayer,
} from './ingest-layer.ts';
import type { TierObserver } from './tier-observer.ts';

export interface IngestJobOptions {
  readonly parts: IngestParts;
  readonly whole: BlobStore;
  readonly space: Space;
  readonly observer: TierObserver;
  readonly log: Log;
  /** Whose pack is appended to; the same after a restart. */
  readonly packOwner: string;
  /** Path of a whole blob. */
  wholePath(digest: Digest): string;
  /** A layer can be made again: its whole copy may go. */
  onIngested(digest: Digest, size: number): Promise<void>;
}

/** A layer that is being taken apart. */
export interface IngestProgress {
  readonly digest: Digest;
  /** Bytes of the layer. */
  readonly size: number;
  readonly step: IngestStep;
  /** Bytes of the layer that the step has done. */
  readonly bytes: number;
  readonly startedMs: number;
}

/** There is no room for recipe and files now. */
export class NoRoomError extends Error {
  override readonly name = 'NoRoomError';
  readonly code = 'NO_ROOM';

  constructor(digest: Digest) {
    super(`${digest}: there is no room to take it apart`);
  }
}

export class IngestJob {
  readonly #options: IngestJobOptions;
  #progress: IngestProgress | undefined;

  constructor(options: IngestJobOptions) {
    this.#options = options;
  }

  /** Of the layer that is worked on. */
  get progress(): IngestProgress | undefined {
    return this.#progress;
  }

  /** Takes the layer out of the queue, one way or another; rejects with what may pass. */
  async run(digest: Digest, signal: AbortSignal): Promise<void> {
    const { whole, parts, space } = this.#options;
    const size = await whole.stat(digest);
    if (size === undefined) return await parts.index.dequeue(digest);
    if (!(await space.admit(size))) throw new NoRoomError(digest);
    let newBytes = 0;
    const startedMs = parts.clock.now();
    this.#progress = { digest, size, step: 'recipe', bytes: 0, startedMs };
    try {
      const outcome = await this.#ingest(digest, signal);
      if (outcome?.kind === 'recipe') newBytes = outcome.newBytes;
      if (outcome !== undefined) await this.#settle(digest, outcome);
    } finally {
      this.#progress = undefined;
      space.released(size);
      if (newBytes > 0) space.stored(newBytes);
    }
  }

  /** Undefined when the layer went meanwhile. */
  async #ingest(digest: Digest, signal: AbortSignal): Promise<IngestOutcome | undefined> {
    const { parts, whole, packOwner, wholePath } = this.#options;
    const onProgress = (step: IngestStep, bytes: number) => {
      if (this.#progress !== undefined) this.#progress = { ...this.#progress, step, bytes };
    };
    try {
      const path = wholePath(digest);
      return await ingestLayer(parts, { digest, path, packOwner, signal, onProgress });
    } catch (error) {
      if ((await whole.stat(digest)) !== undefined) throw error;
      await parts.index.dequeue(digest);
      return undefined;
    }
  }

  async #settle(digest: Digest, outcome: IngestOutcome): Promise<void> {
    const { parts, whole, observer, log } = this.#options;
    const { index, clock } = parts;
    observer.ingested(outcome.kind);
    switch (outcome.kind) {
      case 'recipe': {
        const { record, newBytes } = outcome;
        const { size, tarSize, compressor, restoreSeconds } = record;
        log.info(
          { digest, size, tarSize, newBytes, compressor, restoreSeconds },
          'layer taken apart',
        );
        return await this.#options.onIngested(digest, size);
      }
      case 'whole': {
        const { size, reason } = outcome;
        log.info({ digest, size, reason }, 'a layer stays whole');
        return await index.putWhole(digest, { ...outcome, storedMs: clock.now() });
      }
      case 'damaged':
        log.warn({ digest }, 'a layer was damaged; it will be fetched again');
        observer.damaged();
        await whole.quarantine(digest);
        return await index.dequeue(digest);
    }
  }
}
