// Whole copies of what is made for clients anyway: they cost a write, and nothing is made twice.

import type { RunCopy } from '../dedup/run-copy.ts';
import type { Log } from '../log.ts';
import type { Digest } from '../oci/digest.ts';
import { type PromoteOptions, promoteLayer } from './promote.ts';
import type { ReplicaObserver } from './replica-observer.ts';
import { RunPieces } from './run-pieces.ts';
import type { WholeCopies } from './whole-copies.ts';

export interface RunCopiesOptions
  extends Pick<PromoteOptions, 'whole' | 'space' | 'files' | 'onDamaged'> {
  readonly copies: Pick<WholeCopies, 'isWanted' | 'stored'>;
  readonly observer: Pick<ReplicaObserver, 'promoted'>;
  readonly log: Log;
}

export class RunCopies {
  readonly #options: RunCopiesOptions;
  readonly #ended = new AbortController();
  /** Those that are written now. */
  readonly #running: Map<RunPieces, Promise<void>> = new Map();

  constructor(options: RunCopiesOptions) {
    this.#options = options;
  }

  /** A run begins: takes what it makes if the layer should be whole. */
  begin(digest: Digest): RunCopy | undefined {
    if (this.#ended.signal.aborted) return undefined;
    const pieces = new RunPieces();
    this.#running.set(pieces, this.#keep(digest, pieces));
    return pieces;
  }

  /** What was written is kept, and gone on from. */
  async close(): Promise<void> {
    this.#ended.abort(new Error('Mica is stopping'));
    for (const pieces of this.#running.keys()) pieces.end(false);
    await Promise.all(this.#running.values());
  }

  async #keep(digest: Digest, pieces: RunPieces): Promise<void> {
    const { log } = this.#options;
    try {
      await this.#write(digest, pieces);
    } catch (error) {
      // Whoever reads gets the layer all the same.
      if (!this.#ended.signal.aborted)
        log.warn({ err: error, digest }, 'a layer that was made could not be kept whole');
    } finally {
      this.#running.delete(pieces);
      await pieces.stop();
    }
  }

  async #write(digest: Digest, pieces: RunPieces): Promise<void> {
    const { copies, files, observer, log } = this.#options;
    const { signal } = this.#ended;
    const record = await files.getLayer(digest);
    if (record?.kind !== 'recipe' || !(await copies.isWanted(digest, record))) return;
    const outcome = await promoteLayer(
      {
        ...{ ...this.#options, mayEvict: false },
        pieces: (_, start) => pieces.from(start),
        untilQuiet: async () => signal.throwIfAborted(),
      },
      digest,
      signal,
    );
    if (outcome !== 'made') return;
    await copies.stored(record.size);
    observer.promoted();
    log.debug({ digest, size: record.size }, 'a layer is whole again, as it was made for a client');
  }
}
