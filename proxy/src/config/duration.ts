// Lengths of time as written in the configuration: `500ms`, `60s`, `5m`, `12h`, `7d`, or `0`.

import { ValueError } from './value-error.ts';

/** Milliseconds in one of each unit, largest first. */
const UNITS: ReadonlyMap<string, number> = new Map([
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
  ['ms', 1],
]);

const SHAPE = /^(\d{1,16})(ms|s|m|h|d)$/;

const HINT = 'write 500ms, 60s, 5m, 12h or 7d';

/** Parses a duration to milliseconds; throws ValueError. A bare number is refused, but for 0. */
export function parseDuration(value: string | number): number {
  const text = String(value).trim();
  if (text === '0') return 0;
  const match = SHAPE.exec(text);
  const unit = UNITS.get(match?.[2] ?? '');
  if (match?.[1] === undefined || unit === undefined) {
    throw new ValueError('invalid-duration', value, 'is not a duration', HINT);
  }
  const durationMs = Number(match[1]) * unit;
  if (!Number.isSafeInteger(durationMs)) {
    throw new ValueError('invalid-duration', value, 'is too long a duration', HINT);
  }
  return durationMs;
}

/** Writes milliseconds in the largest unit that fits exactly. */
export function formatDuration(durationMs: number): string {
  if (durationMs === 0) return '0';
  for (const [unit, size] of UNITS) {
    if (durationMs % size === 0) return `${durationMs / size}${unit}`;
  }
  return `${durationMs}ms`;
}
