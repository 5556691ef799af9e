// Small layers that were made ahead, in memory: those not asked for in a while go, and the oldest when there
// are too many.

import { LRUCache } from 'lru-cache';
import type { MemoryCopies } from '../dedup/tiered-blob-store.ts';
import type { Digest } from '../oci/digest.ts';
import type { Clock } from '../runtime/runtime.ts';

/** Bytes of all of them: what a mirror can spare that is to stay under 400 MB. */
export const MAX_MEMORY: number = 64 * 1024 * 1024;

/** Larger layers go to the disk, bytes: so that at least 16 fit. */
export const MAX_MEMORY_LAYER: number = 4 * 1024 * 1024;

/** How long one stays after it was asked for last, ms: other clients pull the same image. */
const KEEP_MS = 5 * 60 * 1000;

export class MemoryLayers implements MemoryCopies {
  readonly #layers: LRUCache<Digest, Uint8Array>;

  constructor(clock: Pick<Clock, 'now'>) {
    this.#layers = new LRUCache<Digest, Uint8Array>({
      maxSize: MAX_MEMORY,
      sizeCalculation: (bytes) => Math.max(1, bytes.length),
      ...{ ttl: KEEP_MS, ttlResolution: 0, updateAgeOnGet: true, perf: clock },
    });
  }

  has(digest: Digest): boolean {
    return this.#layers.has(digest);
  }

  get(digest: Digest): Uint8Array | undefined {
    return this.#layers.get(digest);
  }

  set(digest: Digest, bytes: Uint8Array): void {
    this.#layers.set(digest, bytes);
  }

  delete(digest: Digest): void {
    this.#layers.delete(digest);
  }

  /** Frees those whose time is over. */
  sweep(): void {
    this.#layers.purgeStale();
  }
}
