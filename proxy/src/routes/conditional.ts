// Conditional requests: content named by its digest never changes, so the digest is its entity tag.
// Source: https://www.rfc-editor.org/rfc/rfc9110#section-13

import type { Digest } from '../oci/digest.ts';

export function entityTag(digest: Digest): string {
  return `"${digest}"`;
}

/** Whether If-None-Match says that the client has the content: answer 304 (§13.1.2, weak comparison). */
export function clientHas(ifNoneMatch: string | undefined, digest: Digest): boolean {
  if (ifNoneMatch === undefined) return false;
  return ifNoneMatch
    .split(',')
    .map((tag) => tag.trim())
    .some((tag) => tag === '*' || tag.replace(/^W\//, '') === entityTag(digest));
}

/** Whether a Range applies in the presence of If-Range (§13.1.5, strong comparison; dates never match). */
export function rangeApplies(ifRange: string | undefined, digest: Digest): boolean {
  return ifRange === undefined || ifRange.trim() === entityTag(digest);
}
