// Hashes of bytes at hand and of content in pieces.

import { equal } from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import type { Core, DigestAlgorithm } from '../../src/core.ts';
import { makeBytes } from './bytes.ts';
import { type Check, throwsCoreError } from './check.ts';

const ALGORITHMS: readonly DigestAlgorithm[] = ['sha256', 'sha512'];

/** https://github.com/BLAKE3-team/BLAKE3/blob/master/test_vectors/test_vectors.json */
const PUBLISHED_IDS: readonly (readonly [number, string])[] = [
  [0, 'af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262'],
  [1, '2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213'],
];

export function digestOf(algorithm: DigestAlgorithm, bytes: Uint8Array): string {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
}

/** Some of TypeScript's callers are JavaScript. */
function unknownAlgorithm(): DigestAlgorithm {
  return JSON.parse('"md5"');
}

function check(title: string, body: (core: Core) => void): Check {
  return {
    title,
    run: (core) => Promise.resolve(body(core)),
  };
}

export const hashChecks: readonly Check[] = [
  check('fileId() gives the published hashes', (core) => {
    for (const [size, id] of PUBLISHED_IDS) equal(core.fileId(new Uint8Array(size)), id);
  }),

  check('fileId() reads exactly the bytes of a view', (core) => {
    const bytes = makeBytes(1000);
    const copy = bytes.slice(100, 900);
    equal(core.fileId(bytes.subarray(100, 900)), core.fileId(copy));
    equal(core.fileId(Buffer.from(copy)), core.fileId(copy));
  }),

  check('contentDigest() is what the runtime computes', (core) => {
    for (const algorithm of ALGORITHMS)
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 500 }), (bytes) => {
          equal(core.contentDigest(algorithm, bytes), digestOf(algorithm, bytes));
        }),
      );
  }),

  check('contentHasher() gives the same digest whatever the pieces', (core) => {
    for (const algorithm of ALGORITHMS)
      fc.assert(
        fc.property(fc.array(fc.uint8Array({ maxLength: 300 })), (pieces) => {
          const hasher = core.contentHasher(algorithm);
          for (const piece of pieces) hasher.update(piece);
          equal(hasher.finish(), digestOf(algorithm, Buffer.concat(pieces)));
        }),
      );
  }),

  check('hashers do not disturb each other', (core) => {
    const hashers = ALGORITHMS.map((algorithm) => core.contentHasher(algorithm));
    const bytes = makeBytes(100);
    for (const byte of bytes) for (const hasher of hashers) hasher.update(Uint8Array.of(byte));
    const digests = hashers.map((hasher) => hasher.finish());
    equal(digests.join(), ALGORITHMS.map((name) => digestOf(name, bytes)).join());
  }),

  check('a hasher cannot be used after finish()', (core) => {
    const hasher = core.contentHasher('sha256');
    hasher.finish();
    throwsCoreError(() => hasher.update(makeBytes(1)), { code: 'FINISHED' });
    throwsCoreError(() => hasher.finish(), { code: 'FINISHED' });
  }),

  check('an unknown algorithm is refused', (core) => {
    const algorithm = unknownAlgorithm();
    const expected = { code: 'UNKNOWN_ALGORITHM' };
    throwsCoreError(() => core.contentDigest(algorithm, makeBytes(1)), expected);
    throwsCoreError(() => core.contentHasher(algorithm), expected);
  }),
];
