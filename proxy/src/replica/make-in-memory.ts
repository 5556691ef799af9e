// Makes a small layer again in memory, and checks its digest before anybody may have it.

import type { Restoration } from 'mica-core/core';
import { isDamage, NoRecipeError } from '../dedup/restorations.ts';
import { type Digest, digestAlgorithm, digestHex } from '../oci/digest.ts';
import type { Hashing } from '../runtime/runtime.ts';
import { WrongBlobError } from '../store/blob-store.ts';

export interface MakeInMemoryOptions {
  readonly hashing: Pick<Hashing, 'hash'>;
  openRestoration(digest: Digest): Promise<Restoration>;
  /** The layer cannot be made any more. */
  onDamaged(digest: Digest, error: unknown): Promise<void>;
  /** Resolves when nobody waits for other work; rejects when the layer is not wanted any more. */
  pause(signal: AbortSignal): Promise<void>;
}

/** Undefined when the layer is gone or damaged. Rejects with the signal's reason and the system's errors. */
export async function makeInMemory(
  options: MakeInMemoryOptions,
  digest: Digest,
  size: number,
  signal: AbortSignal,
): Promise<Uint8Array | undefined> {
  try {
    const bytes = await readAll(options, digest, size, signal);
    const hex = await options.hashing.hash(digestAlgorithm(digest), bytes);
    if (hex === digestHex(digest)) return bytes;
    throw new WrongBlobError(digest, digest, hex);
  } catch (error) {
    if (error instanceof NoRecipeError) return undefined;
    if (!isDamage(error) && !(error instanceof WrongBlobError)) throw error;
    await options.onDamaged(digest, error);
    return undefined;
  }
}

async function readAll(
  { openRestoration, pause }: MakeInMemoryOptions,
  digest: Digest,
  size: number,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const restoration = await openRestoration(digest);
  const bytes = new Uint8Array(size);
  let length = 0;
  try {
    for await (const piece of restoration.read({ signal })) {
      length += piece.length;
      if (length > size) break;
      bytes.set(piece, length - piece.length);
      await pause(signal);
    }
  } finally {
    await restoration.close();
  }
  if (length !== size) throw new WrongBlobError(digest, `${size} bytes`, `${length} bytes`);
  return bytes;
}
