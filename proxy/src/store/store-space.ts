// Decides whether there is room for more, and makes room by evicting least recently used images.
//
// What is counted: bytes on the disk as last measured, what was stored since, and the room promised
// to fills that still run. Every eviction measures anew, so that what other processes removed or
// added (`mica gc`, `mica purge`) is seen at the latest when it would matter.

import type { Config } from '../config/config.ts';
import type { Log } from '../log.ts';
import type { Observer } from '../pull/observer.ts';
import type { DiskSpace, Runtime } from '../runtime/runtime.ts';
import type { BlobStore } from './blob-store.ts';
import { type EvictionPlan, planEviction } from './evict.ts';
import { allocatedSize, type HeldBlob, type Holdings, readHoldings } from './holdings.ts';
import type { Index } from './index.ts';
import { reserveOf, resolveQuota } from './quota.ts';
import { removeImages } from './remove-images.ts';
import type { Space } from './space.ts';
import { measureBytes } from './usage.ts';

export interface StoreSpaceOptions {
  readonly store: BlobStore;
  readonly index: Index;
  readonly config: Pick<Config, 'quota' | 'data'>;
  readonly runtime: Pick<Runtime, 'files' | 'clock'>;
  readonly observer: Pick<Observer, 'evicted'>;
  readonly log: Log;
  /** Gives back what the blobs that went shared with others and nobody needs now. */
  reclaim?(): Promise<unknown>;
  /** When what is there is counted; at once when absent. It is not counted any more after the abort. */
  readonly counting?: { readonly afterMs: number; readonly signal: AbortSignal };
}

/**
 * Shares of the limit. Room that is less than the first is made in the background, before anybody has
 * to wait for it; an eviction frees up to the second, since each reads the whole store and index.
 */
const LOW_ROOM_RATIO = 0.02;
const FREED_ROOM_RATIO = 0.04;

/** After an eviction that found too little, the next waits so long: all it could find is too young. */
const PAUSE_MS = 10_000;

/** Room that nobody stored into or gave back for so long is free again. */
const PROMISE_MS = 60 * 60 * 1000;

export interface SpaceStatus {
  /** Bytes on the disk; undefined until they were first counted. */
  readonly used: number | undefined;
  /** Bytes promised to fills that run. */
  readonly promised: number;
  readonly limit: number;
  readonly disk: DiskSpace;
}

/** The disk, and how much of the promised room running fills have already taken of it. */
interface Look {
  readonly disk: DiskSpace;
  readonly written: number;
}

interface PromisedRoom {
  readonly size: number;
  readonly sinceMs: number;
}

/** Counts what is there; until that ends only the disk decides. */
export function openStoreSpace(options: StoreSpaceOptions): StoreSpace {
  return new StoreSpace(options);
}

export class StoreSpace implements Space {
  /** Resolves when what was there at the start has been counted. */
  readonly counted: Promise<void>;
  readonly #options: StoreSpaceOptions;
  #used: number | undefined;
  /** All that was ever stored: what came while the store was being read is the difference. */
  #storedEver = 0;
  #promised: PromisedRoom[] = [];
  /** Sum of what callers of admit() wait for. */
  #wanted = 0;
  #evicting: Promise<void> | undefined;
  #evictedMs = 0;
  #futileUntilMs = 0;

  /** Use openStoreSpace(). */
  constructor(options: StoreSpaceOptions) {
    this.#options = options;
    this.counted = this.#count();
  }

  async admit(size: number, mayEvict = true): Promise<boolean> {
    const room = allocatedSize(size);
    if (mayEvict) this.#wanted += room;
    try {
      return await this.#promise(room, mayEvict);
    } catch (error) {
      // A pull never fails for want of room: what cannot be decided is served without storing.
      this.#options.log.error({ err: error }, 'cannot tell whether there is room');
      return false;
    } finally {
      if (mayEvict) this.#wanted -= room;
    }
  }

  stored(size: number): void {
    const room = allocatedSize(size);
    this.#endPromise(room);
    this.#storedEver += room;
    if (this.#used !== undefined) this.#used += room;
  }

  released(size: number): void {
    this.#endPromise(allocatedSize(size));
  }

  async status(): Promise<SpaceStatus> {
    const look = await this.#look();
    return {
      used: this.#used,
      promised: this.#sumPromised(),
      limit: this.#limit(look),
      disk: look.disk,
    };
  }

  async #promise(room: number, mayEvict: boolean): Promise<boolean> {
    for (;;) {
      const look = await this.#look();
      if (this.#shortage(look, room) <= 0) {
        this.#promised.push({ size: room, sinceMs: this.#nowMs() });
        if (mayEvict) this.#evictSoon(look);
        return true;
      }
      if (!mayEvict) return false;
      await this.counted;
      if (this.#isFutile(look, room)) return false;
      await this.#evictOnce();
    }
  }

  /** Makes room for those who come next, unless there is plenty. */
  #evictSoon(look: Look): void {
    if (this.#used === undefined || this.#nowMs() < this.#evictedMs + PAUSE_MS) return;
    if (this.#shortage(look, this.#limit(look) * LOW_ROOM_RATIO) <= 0) return;
    this.#evictOnce().catch((error: unknown) => {
      this.#options.log.error({ err: error }, 'cannot make room');
    });
  }

  /** Whether no eviction could help: the blob alone is over the limit, or one just found too little. */
  #isFutile(look: Look, room: number): boolean {
    // A pause longer than it was set means that the clock was set back.
    const pauseMs = this.#futileUntilMs - this.#nowMs();
    if (pauseMs > 0 && pauseMs <= PAUSE_MS) return true;
    return room + this.#sumPromised() > this.#limit(look);
  }

  /** Bytes that have to go before `room` more fit under the quota and on the disk. */
  #shortage(look: Look, room: number): number {
    const promised = this.#sumPromised();
    const toCome = Math.max(0, promised - look.written) + room;
    const overDisk = toCome + reserveOf(look.disk) - look.disk.free;
    if (this.#used === undefined) return overDisk;
    const overQuota = this.#used + promised + room - this.#limit(look);
    return Math.max(overQuota, overDisk);
  }

  /** Joins the eviction that runs, or starts one. Afterwards those who wait look again. */
  #evictOnce(): Promise<void> {
    this.#evicting ??= this.#evict().finally(() => {
      this.#evictedMs = this.#nowMs();
      this.#evicting = undefined;
    });
    return this.#evicting;
  }

  /** Measures, then evicts what all who wait need, and some more. */
  async #evict(): Promise<void> {
    const { store, index } = this.#options;
    const before = this.#storedEver;
    const holdings = await readHoldings(store, index);
    this.#used = usedOf(holdings) + this.#storedEver - before;
    const look = await this.#look();
    const wanted = this.#shortage(look, this.#wanted + this.#limit(look) * FREED_ROOM_RATIO);
    if (wanted > 0) await this.#carryOut(planEviction(holdings, wanted, this.#nowMs()), holdings);
    // Also when the plan was good enough: a removed file that is still read keeps its blocks.
    if (this.#shortage(await this.#look(), this.#wanted) > 0) {
      this.#futileUntilMs = this.#nowMs() + PAUSE_MS;
    }
  }

  async #carryOut(plan: EvictionPlan, holdings: Holdings): Promise<void> {
    const { store, index, observer, log } = this.#options;
    let freed = 0;
    for (const digest of plan.partials) {
      if (store.isBusy(digest)) continue;
      if (await store.removePartial(digest)) freed += holdings.partials.get(digest)?.size ?? 0;
    }
    for (const digest of await removeImages(store, index, plan)) {
      freed += holdings.blobs.get(digest)?.size ?? 0;
    }
    await this.#options.reclaim?.();
    this.#used = Math.max(0, (this.#used ?? 0) - freed);
    const images = plan.images.length;
    const partials = plan.partials.length;
    if (images > 0) observer.evicted(images, freed);
    if (images + partials > 0) log.info({ images, partials, bytes: freed }, 'evicted to make room');
  }

  async #count(): Promise<void> {
    const { store, log, runtime, counting } = this.#options;
    if (counting !== undefined) {
      await runtime.clock.sleep(counting.afterMs, counting.signal).catch(() => undefined);
      if (counting.signal.aborted) return;
    }
    const before = this.#storedEver;
    try {
      const blobs = await measureBytes(store.list());
      const partials = await measureBytes(store.partials());
      // An eviction may have counted in the meantime, and knows better.
      this.#used ??= blobs.allocated + partials.allocated + this.#storedEver - before;
    } catch (error) {
      log.error({ err: error }, 'cannot count what the store holds');
    }
  }

  async #look(): Promise<Look> {
    const { store, runtime, config } = this.#options;
    let written = 0;
    for await (const { digest, size } of store.partials()) {
      if (store.isBusy(digest)) written += size;
    }
    return { disk: await runtime.files.space(config.data), written };
  }

  #limit({ disk, written }: Look): number {
    return resolveQuota(this.#options.config.quota, disk, (this.#used ?? 0) + written);
  }

  #nowMs(): number {
    return this.#options.runtime.clock.now();
  }

  #sumPromised(): number {
    const sinceMs = this.#nowMs() - PROMISE_MS;
    this.#promised = this.#promised.filter((promise) => promise.sinceMs >= sinceMs);
    return this.#promised.reduce((sum, promise) => sum + promise.size, 0);
  }

  #endPromise(room: number): void {
    const at = this.#promised.findIndex((promise) => promise.size === room);
    if (at >= 0) this.#promised.splice(at, 1);
  }
}

/** Bytes of all that is stored; running fills count as promised room instead. */
function usedOf(holdings: Holdings): number {
  const idle = [...holdings.partials.values()].filter((partial) => !partial.isBusy);
  return sumSizes(holdings.blobs.values()) + sumSizes(idle);
}

function sumSizes(blobs: Iterable<HeldBlob>): number {
  let sum = 0;
  for (const blob of blobs) sum += blob.size;
  return sum;
}
