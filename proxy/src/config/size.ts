// Sizes and quotas as written in the configuration: `200GiB`, `1.5TB`, bare bytes, or `80%`.

import type { Quota } from './config.ts';
import { ValueError } from './value-error.ts';

/** Bytes in one of each unit. */
const UNITS: ReadonlyMap<string, number> = new Map([
  ['B', 1],
  ['kB', 1000],
  ['KB', 1000],
  ['MB', 1000 ** 2],
  ['GB', 1000 ** 3],
  ['TB', 1000 ** 4],
  ['KiB', 1024],
  ['MiB', 1024 ** 2],
  ['GiB', 1024 ** 3],
  ['TiB', 1024 ** 4],
]);

/** What `formatSize` writes, largest first. */
const FORMAT_UNITS = ['TiB', 'GiB', 'MiB', 'KiB'] as const;

const SIZE = /^(\d{1,16}(?:\.\d{1,6})?)\s?([kKMGT]i?B|B)?$/;
const SHARE = /^(\d{1,3}(?:\.\d{1,6})?)\s?%$/;

const SIZE_HINT = 'write bytes or a number with KiB, MiB, GiB, TiB, kB, MB, GB or TB';
const QUOTA_HINT = 'write a share such as 80%, or a size such as 200GiB';

/** Parses a size to bytes, fractions rounded down; throws ValueError. */
export function parseSize(value: string | number): number {
  const size = readSize(value);
  if (size === undefined) throw new ValueError('invalid-size', value, 'is not a size', SIZE_HINT);
  return size;
}

/** Parses `80%` or a size; throws ValueError. */
export function parseQuota(value: string | number): Quota {
  const share = SHARE.exec(String(value).trim())?.[1];
  if (share !== undefined) {
    const percent = Number(share);
    if (percent <= 100) return { kind: 'share', ratio: percent / 100 };
    throw new ValueError('invalid-quota', value, 'is more than 100%', QUOTA_HINT);
  }
  const bytes = readSize(value);
  if (bytes !== undefined) return { kind: 'bytes', bytes };
  throw new ValueError('invalid-quota', value, 'is neither a share nor a size', QUOTA_HINT);
}

/** Writes bytes in the largest unit that fits exactly. */
export function formatSize(size: number): string {
  for (const unit of FORMAT_UNITS) {
    const bytes = UNITS.get(unit) ?? 1;
    if (size > 0 && size % bytes === 0) return `${size / bytes}${unit}`;
  }
  return String(size);
}

export function formatQuota(quota: Quota): string {
  if (quota.kind === 'bytes') return formatSize(quota.bytes);
  // Twelve digits undo the rounding of the division by 100 in binary.
  return `${Number((quota.ratio * 100).toPrecision(12))}%`;
}

function readSize(value: string | number): number | undefined {
  const match = SIZE.exec(String(value).trim());
  const unit = UNITS.get(match?.[2] ?? 'B');
  if (match?.[1] === undefined || unit === undefined) return undefined;
  const size = Math.floor(Number(match[1]) * unit);
  return Number.isSafeInteger(size) ? size : undefined;
}
