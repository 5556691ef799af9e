// Keeps whole copies as the mode says, in the background: one layer at a time, and only while nobody waits
// for anything else.
//
// What there is to do is always read from the store itself, so that a crash or another mode at the next
// start leaves nothing that a round does not see.

import type { Config } from '../config/config.ts';
import type { Log } from '../log.ts';
import type { Digest } from '../oci/digest.ts';
import type { Clock } from '../runtime/runtime.ts';
import { convertToWhole } from './convert-to-whole.ts';
import { type DropRecipesOptions, dropRecipes } from './drop-recipes.ts';
import type { PromotionOutcome } from './promote.ts';
import { BusyMirrorError, untilQuiet } from './quiet.ts';
import type { ReplicaObserver } from './replica-observer.ts';
import type { WholeCopies } from './whole-copies.ts';

/** Shortest time between two rounds, ms. */
const ROUND_MS = 10_000;

/** A round reads all layers: it takes at most one part in so many of the time. */
const ROUND_RATIO = 50;

export interface ReplicaWorkOptions extends DropRecipesOptions {
  readonly config: Pick<Config, 'dedup'>;
  readonly copies: Pick<WholeCopies, 'plan' | 'trim' | 'fit' | 'remove' | 'stored'>;
  readonly clock: Clock;
  readonly observer: Pick<ReplicaObserver, 'promoted'>;
  readonly log: Log;
  /** Makes a layer whole. */
  promote(digest: Digest, signal: AbortSignal): Promise<PromotionOutcome>;
  /** Whether fills run or clients wait for layers that are made again. */
  isBusy(): boolean;
}

export class ReplicaWork {
  readonly #options: ReplicaWorkOptions;
  readonly #ended = new AbortController();
  #wake: () => void = () => undefined;
  #isWanted = false;
  #running: Promise<void> | undefined;

  constructor(options: ReplicaWorkOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Says that something may be to do. */
  wake(): void {
    this.#isWanted = true;
    this.#wake();
  }

  /** Ends the layer that is worked on; what was made of it is kept. */
  async close(): Promise<void> {
    this.#ended.abort(new Error('Mica is stopping'));
    this.#wake();
    await this.#running;
  }

  /** Does what is to do now; false when some of it is left for another time. */
  async round(): Promise<boolean> {
    const { mode, replicas } = this.#options.config.dedup;
    switch (mode) {
      case 'off': {
        const isWhole = await this.#convert();
        return (await dropRecipes(this.#options, this.#ended.signal)) && isWhole;
      }
      case 'b':
        if (replicas > 0) return await this.#convert();
        await this.#options.copies.trim();
        return true;
      case 's':
        await this.#options.copies.fit();
        return await this.#promote();
    }
  }

  async #run(): Promise<void> {
    const { clock, log } = this.#options;
    while (!this.#ended.signal.aborted) {
      await this.#untilWoken();
      const startMs = clock.now();
      try {
        this.#isWanted = false;
        if (!(await this.round())) this.#isWanted = true;
      } catch (error) {
        if (this.#ended.signal.aborted) return;
        this.#isWanted = true;
        const isBusy = error instanceof BusyMirrorError;
        if (!isBusy) log.error({ err: error }, 'whole copies could not be looked after');
      }
      await this.#sleep(Math.max(ROUND_MS, (clock.now() - startMs) * ROUND_RATIO));
    }
  }

  #convert(): Promise<boolean> {
    const { signal } = this.#ended;
    const makeWhole = (digest: Digest) => this.#makeWhole(digest);
    return convertToWhole({ ...this.#options, makeWhole }, signal);
  }

  /** Makes those whole that save more than what goes for them, which goes first: the room is for both. */
  async #promote(): Promise<boolean> {
    const { copies, log } = this.#options;
    for (const { layer, instead } of await copies.plan()) {
      const { digest, size } = layer;
      await untilQuiet(this.#options, this.#ended.signal);
      const demoted = await copies.remove(instead.map((copy) => copy.digest));
      const outcome = await this.#makeWhole(digest);
      if (outcome === 'no-room') return false;
      if (outcome === 'left') continue;
      await copies.stored(size);
      log.info({ digest, size, demoted }, 'a layer is whole again, as it is asked for often');
    }
    return true;
  }

  async #makeWhole(digest: Digest): Promise<PromotionOutcome> {
    const { signal } = this.#ended;
    await untilQuiet(this.#options, signal);
    try {
      const outcome = await this.#options.promote(digest, signal);
      if (outcome === 'made') this.#options.observer.promoted();
      return outcome;
    } catch (error) {
      // One that fails must not keep those behind it from their turn.
      signal.throwIfAborted();
      this.#options.log.warn({ err: error, digest }, 'a layer could not be made whole');
      return 'left';
    }
  }

  async #untilWoken(): Promise<void> {
    if (this.#isWanted || this.#ended.signal.aborted) return;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    this.#wake = () => undefined;
  }

  async #sleep(durationMs: number): Promise<void> {
    await this.#options.clock.sleep(durationMs, this.#ended.signal).catch(() => undefined);
  }
}
