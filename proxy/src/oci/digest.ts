// A content digest that has been checked: algorithm, colon, lower-case hex of the right length.
// Source: https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md#digests

import { OciError } from './error.ts';

export type DigestAlgorithm = 'sha256' | 'sha512';

declare const checked: unique symbol;

/** A digest such as `sha256:6c3c…`; usable as a string and as a map key. */
export type Digest = `${DigestAlgorithm}:${string}` & { readonly [checked]: 'Digest' };

/** Length of the hex part of each registered algorithm, in characters. */
const HEX_LENGTH: Readonly<Record<DigestAlgorithm, number>> = { sha256: 64, sha512: 128 };

const SHAPE = /^(sha256|sha512):([0-9a-f]+)$/;

/** Whether the text is a digest that Mica can check. */
export function isDigest(text: string): text is Digest {
  const match = SHAPE.exec(text);
  if (match?.[2] === undefined) return false;
  return match[2].length === (match[1] === 'sha512' ? HEX_LENGTH.sha512 : HEX_LENGTH.sha256);
}

/** Parses a digest; throws DIGEST_INVALID when it is not one of a registered algorithm. */
export function parseDigest(text: string): Digest {
  if (isDigest(text)) return text;
  throw new OciError('DIGEST_INVALID', 400, `not a sha256 or sha512 digest: ${text.slice(0, 200)}`);
}

/** The digest of an algorithm and its hex result. */
export function digestOf(algorithm: DigestAlgorithm, hex: string): Digest {
  return parseDigest(`${algorithm}:${hex}`);
}

/** The digests of no bytes at all. */
const EMPTY_DIGESTS: ReadonlySet<string> = new Set([
  'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  'sha512:cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e',
]);

/** Whether a blob of 0 bytes can have the digest. */
export function isEmptyDigest(digest: Digest): boolean {
  return EMPTY_DIGESTS.has(digest);
}

export function digestAlgorithm(digest: Digest): DigestAlgorithm {
  return digest.startsWith('sha512:') ? 'sha512' : 'sha256';
}

export function digestHex(digest: Digest): string {
  return digest.slice('sha256:'.length);
}
