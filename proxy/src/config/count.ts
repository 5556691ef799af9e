// Whole numbers as written in the configuration: `2`, or `"2"` from the environment.

import { ValueError } from './value-error.ts';

const DIGITS = /^\d{1,6}$/;

/** Parses a whole number of at least `min`; throws ValueError. */
export function parseCount(value: string | number, min: number): number {
  const text = String(value).trim();
  const count = Number(text);
  if (DIGITS.test(text) && count >= min) return count;
  const hint = `write a whole number from ${min} on`;
  throw new ValueError('invalid-count', value, 'is not a count', hint);
}
