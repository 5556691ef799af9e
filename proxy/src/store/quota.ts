// How many bytes the store may hold: what the configuration allows, and what the disk has.

import type { Quota } from '../config/config.ts';
import type { DiskSpace } from '../runtime/runtime.ts';

/** Free disk that stays untouched: room for the index's growth, the logs, and other programs. */
const MIN_RESERVE = 64 * 1024 * 1024;
const RESERVE_RATIO = 0.01;

/** On a small disk the reserve is at most this share, so that it does not take all of it. */
const MAX_RESERVE_RATIO = 0.05;

/** Bytes of the file system that are never filled. */
export function reserveOf(disk: DiskSpace): number {
  const wanted = Math.max(MIN_RESERVE, disk.size * RESERVE_RATIO);
  return Math.floor(Math.min(wanted, disk.size * MAX_RESERVE_RATIO));
}

/**
 * The limit in bytes for a store that holds `used` now. A share is one of the whole file system.
 * Never more than the store has plus what the disk can still give.
 */
export function resolveQuota(quota: Quota, disk: DiskSpace, used: number): number {
  const allowed = quota.kind === 'bytes' ? quota.bytes : Math.floor(quota.ratio * disk.size);
  return Math.max(0, Math.min(allowed, used + disk.free - reserveOf(disk)));
}
