// The bytes of a layer that is to become whole, made again for that.

import type { Restoration } from 'mica-core/core';
import { isDamage, NoRecipeError } from '../dedup/restorations.ts';
import type { Digest } from '../oci/digest.ts';

/** The layer cannot be made: it is damaged, or gone. Errors of the disk that is written to are others. */
export class UnmadeError extends Error {
  override readonly name = 'UnmadeError';
  readonly code = 'NOT_MADE';
  readonly isDamage: boolean;

  constructor(digest: Digest, cause: unknown) {
    super(`${digest} cannot be made again`, { cause });
    this.isDamage = isDamage(cause);
  }
}

/** The layer from a position on. A piece is valid until the next one is asked for. */
export async function* makePieces(
  openRestoration: (digest: Digest) => Promise<Restoration>,
  digest: Digest,
  start: number,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  try {
    const restoration = await openRestoration(digest);
    try {
      yield* restoration.read({ start, signal });
    } finally {
      await restoration.close();
    }
  } catch (error) {
    const isUnmade = isDamage(error) || error instanceof NoRecipeError;
    throw isUnmade ? new UnmadeError(digest, error) : error;
  }
}
