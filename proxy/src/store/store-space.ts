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
}

/** Freed beyond what is needed, as a share of the limit: an eviction reads the whole index. */
const SLACK_RATIO = 0.02;

/** After an eviction that found too little, the next waits so long: all it could find is too young. */
const FUTILE_PAUSE_MS = 10_000;

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

interface PromisedRoom {
  readonly size: number;
  readonly sinceMs: number;
}

/** Starts counting what is there; until that ends only the disk decides. */
export function openStoreSpace(options: StoreSpaceOptions): StoreSpace {
  return new StoreSpace(options);
}

export class StoreSpace implements Space {
  /** Resolves when what was there at the start has been counted. */
  readonly counted: Promise<void>;
  readonly #options: StoreSpaceOptions;
  #used: number | undefined;
  #storedWhileCounting = 0;
  #promised: PromisedRoom[] = [];
  /** Sum of what callers of admit() wait for. */
  #wanted = 0;
  #evicting: Promise<void> | undefined;
  #futileUntilMs = 0;

  /** Use openStoreSpace(). */
  constructor(options: StoreSpaceOptions) {
    this.#options = options;
    this.counted = this.#count();
  }

  async admit(size: number): Promise<boolean> {
    const room = allocatedSize(size);
    this.#wanted += room;
    try {
      return await this.#promise(room);
    } catch (error) {
      // A pull never fails for want of room: what cannot be decided is served without storing.
      this.#options.log.error({ err: error }, 'cannot tell whether there is room');
      return false;
    } finally {
      this.#wanted -= room;
    }
  }

  stored(size: number): void {
    const room = allocatedSize(size);
    this.#endPromise(room);
    if (this.#used === undefined) this.#storedWhileCounting += room;
    else this.#used += room;
  }

  released(size: number): void {
    this.#endPromise(allocatedSize(size));
  }

  async status(): Promise<SpaceStatus> {
    const disk = await this.#disk();
    return {
      used: this.#used,
      promised: this.#sumPromised(),
      limit: this.#limit(disk),
      disk,
    };
  }

  async #promise(room: number): Promise<boolean> {
    for (;;) {
      const disk = await this.#disk();
      if (this.#shortage(disk, room) <= 0) {
        this.#promised.push({ size: room, sinceMs: this.#options.runtime.clock.now() });
        return true;
      }
      await this.counted;
      if (this.#isFutile(disk, room)) return false;
      this.#evicting ??= this.#evict(disk).finally(() => {
        this.#evicting = undefined;
      });
      await this.#evicting;
    }
  }

  /** Whether no eviction could help: the blob alone is over the limit, or one just found too little. */
  #isFutile(disk: DiskSpace, room: number): boolean {
    if (this.#options.runtime.clock.now() < this.#futileUntilMs) return true;
    return room + this.#sumPromised() > this.#limit(disk);
  }

  /** Bytes that have to go before `room` more fit under the quota and on the disk. */
  #shortage(disk: DiskSpace, room: number): number {
    const promised = this.#sumPromised();
    const overDisk = promised + room + reserveOf(disk) - disk.free;
    if (this.#used === undefined) return overDisk;
    const overQuota = this.#used + promised + room - this.#limit(disk);
    return Math.max(overQuota, overDisk);
  }

  /** Measures, then evicts what all who wait need. Afterwards they look again. */
  async #evict(disk: DiskSpace): Promise<void> {
    const { store, index, runtime } = this.#options;
    const holdings = await readHoldings(store, index);
    this.#used = usedOf(holdings);
    const shortage = this.#shortage(disk, this.#wanted);
    if (shortage <= 0) return;
    const wanted = shortage + Math.floor(this.#limit(disk) * SLACK_RATIO);
    const nowMs = runtime.clock.now();
    await this.#carryOut(planEviction(holdings, wanted, nowMs), holdings);
    // Also when the plan was good enough: a removed file that is still read keeps its blocks.
    if (this.#shortage(await this.#disk(), this.#wanted) > 0) {
      this.#futileUntilMs = nowMs + FUTILE_PAUSE_MS;
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
    this.#used = Math.max(0, (this.#used ?? 0) - freed);
    const images = plan.images.length;
    if (images > 0) observer.evicted(images, freed);
    log.info({ images, partials: plan.partials.length, bytes: freed }, 'evicted to make room');
  }

  async #count(): Promise<void> {
    const { store, log } = this.#options;
    try {
      const blobs = await measureBytes(store.list());
      const partials = await measureBytes(store.partials());
      // An eviction may have counted in the meantime, and knows better.
      this.#used ??= blobs.allocated + partials.allocated + this.#storedWhileCounting;
    } catch (error) {
      log.error({ err: error }, 'cannot count what the store holds');
    }
  }

  #disk(): Promise<DiskSpace> {
    return this.#options.runtime.files.space(this.#options.config.data);
  }

  #limit(disk: DiskSpace): number {
    const { quota } = this.#options.config;
    return resolveQuota(quota, disk, this.#used ?? 0);
  }

  #sumPromised(): number {
    const sinceMs = this.#options.runtime.clock.now() - PROMISE_MS;
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
