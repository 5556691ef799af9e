// Where the index and the blobs are kept, as URLs in the configuration.

import { quoteValue, ValueError } from './value-error.ts';

/** Schemes that a later version is to have: naming them says more than `unknown`. */
const LATER = new Set(['redis:', 'rediss:', 'valkey:', 's3:']);

/** Gives the URL back if it is `supported`, the only one of this version; throws ValueError. */
export function parseStoreUrl(value: string, supported: 'lmdb:' | 'file:'): string {
  if (value === supported) return value;
  const hint = `write ${supported} or leave the key out`;
  const scheme = /^[a-z0-9+.-]+:/.exec(value.toLowerCase())?.[0];
  if (scheme !== undefined && LATER.has(scheme)) {
    throw new ValueError('unsupported-url', scheme, 'is not in this version of Mica', hint);
  }
  throw new ValueError('unsupported-url', value, `is not ${quoteValue(supported)}`, hint);
}
