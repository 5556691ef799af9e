// What becomes of cached content when the upstream's answer is an error (RFC 5861 §4, narrowed): an
// upstream that gave out does not take content away, one that says no does.

import { OciError } from '../oci/error.ts';
import { UpstreamError, type UpstreamErrorKind } from '../upstream/upstream.ts';

/** `stale`: serve what is cached; `forget`: it is gone; `refuse`: pass the error on. */
export type ErrorConsequence = 'stale' | 'forget' | 'refuse';

export function consequenceOf(error: unknown): ErrorConsequence {
  if (error instanceof UpstreamError) return consequenceOfKind(error.kind);
  // What came under the name of a manifest is none: the upstream is broken, not the content gone.
  if (error instanceof OciError && error.code === 'MANIFEST_INVALID') return 'stale';
  return 'refuse';
}

function consequenceOfKind(kind: UpstreamErrorKind): ErrorConsequence {
  switch (kind) {
    case 'transport':
    case 'unavailable':
    case 'rate-limited':
    case 'invalid':
    case 'too-large':
    case 'out-of-range':
      return 'stale';
    case 'not-found':
      return 'forget';
    case 'unauthorized':
    case 'denied':
    case 'refused':
      return 'refuse';
  }
}
