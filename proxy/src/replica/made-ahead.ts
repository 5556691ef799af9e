// Layers that were made ahead and are waited for: whether anybody comes for them is counted, and decides how
// many are made the next time.

import type { Digest } from '../oci/digest.ts';
import type { Clock } from '../runtime/runtime.ts';
import type { Allowance } from './allowance.ts';
import { BEGUN_MS } from './begin-ahead.ts';
import type { AheadPlace } from './choose-ahead.ts';
import type { ReplicaObserver } from './replica-observer.ts';

/** Time beyond the expected one after which a layer was made for nothing, ms. */
export const WASTED_AFTER_MS = 60_000;

export interface MadeLayer {
  readonly digest: Digest;
  readonly size: number;
  readonly place: AheadPlace;
  /** For whom it was made. */
  readonly repository: string;
  readonly client: string;
  /** When the client was expected to ask, ms since the epoch. */
  readonly dueMs: number;
}

export interface MadeAheadOptions {
  readonly allowance: Allowance;
  readonly observer: Pick<ReplicaObserver, 'predicted'>;
  readonly clock: Pick<Clock, 'now'>;
  /** Nobody came. */
  onWasted(layer: MadeLayer): void;
}

export class MadeAhead {
  readonly #options: MadeAheadOptions;
  readonly #layers: Map<Digest, MadeLayer & { readonly untilMs: number }> = new Map();

  constructor(options: MadeAheadOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#layers.size;
  }

  has(digest: Digest): boolean {
    return this.#layers.has(digest);
  }

  /** Bytes in one of the places. */
  sizeIn(place: MadeLayer['place']): number {
    const layers = [...this.#layers.values()].filter((layer) => layer.place === place);
    return layers.reduce((sum, { size }) => sum + size, 0);
  }

  add(layer: MadeLayer): void {
    const { allowance, observer, clock } = this.#options;
    const nowMs = clock.now();
    const isBegun = layer.place === 'begun';
    const untilMs = isBegun ? nowMs + BEGUN_MS : Math.max(nowMs, layer.dueMs) + WASTED_AFTER_MS;
    this.#layers.set(layer.digest, { ...layer, untilMs });
    allowance.made(layer.repository, layer.client);
    observer.predicted('made');
  }

  /** Somebody asks for a layer, who need not be the one it was made for. */
  ask(digest: Digest): void {
    const layer = this.#layers.get(digest);
    if (layer === undefined) return;
    this.#layers.delete(digest);
    this.#options.allowance.used(layer.repository, layer.client);
    this.#options.observer.predicted('used');
  }

  /** Gives up those that nobody came for. */
  sweep(): void {
    const { observer, clock, onWasted } = this.#options;
    for (const [digest, layer] of this.#layers) {
      if (layer.untilMs > clock.now()) continue;
      this.#layers.delete(digest);
      observer.predicted('wasted');
      onWasted(layer);
    }
  }
}
