// File ids as keys of maps, which bytes cannot be.

import { idAt } from './file-slices.ts';

export function nameOf(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

/** Of one of many ids. */
export function nameAt(ids: Uint8Array, number: number): string {
  return nameOf(idAt(ids, number));
}
