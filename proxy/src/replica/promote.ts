// Gives a layer that is only a recipe its whole copy back: made again into a partial blob, and committed,
// so that size and digest are checked like those of any blob.

import type { Restoration } from 'mica-core/core';
import type { FileIndex } from '../dedup/file-index.ts';
import { isDamage, NoRecipeError } from '../dedup/restorations.ts';
import type { Digest } from '../oci/digest.ts';
import { type BlobStore, type PartialBlob, WrongBlobError } from '../store/blob-store.ts';
import { BusyBlobError } from '../store/disk-blob-store.ts';
import { hasCode } from '../store/file-error.ts';
import type { Space } from '../store/space.ts';
import { BusyMirrorError } from './quiet.ts';

/** `made`: it is whole now. `no-room`: nothing was kept. `left`: another time; what was made may be kept. */
export type PromotionOutcome = 'made' | 'no-room' | 'left';

export interface PromoteOptions {
  /** Where whole copies are. */
  readonly whole: BlobStore;
  readonly space: Space;
  readonly files: Pick<FileIndex, 'getLayer'>;
  openRestoration(digest: Digest): Promise<Restoration>;
  /** The layer cannot be made any more. */
  onDamaged(digest: Digest, error: unknown): Promise<void>;
  /** Resolves when nobody waits for other work; rejects when that takes too long. */
  untilQuiet(signal: AbortSignal): Promise<void>;
}

/** Rejects with the signal's reason, and with the system's errors other than that the disk is full. */
export async function promoteLayer(
  options: PromoteOptions,
  digest: Digest,
  signal: AbortSignal,
): Promise<PromotionOutcome> {
  const { whole, space, files } = options;
  const record = await files.getLayer(digest);
  if (record?.kind !== 'recipe' || (await whole.stat(digest)) !== undefined) return 'left';
  const { size } = record;
  if (!(await space.admit(size))) return 'no-room';
  let outcome: PromotionOutcome = 'left';
  try {
    const partial = await whole.begin(digest);
    try {
      outcome = await fill(options, partial, size, signal);
    } finally {
      await partial.close();
    }
    return outcome;
  } catch (error) {
    // Its fetch runs, or clients come first: what was made is taken up another time.
    if (error instanceof BusyBlobError || error instanceof BusyMirrorError) return 'left';
    throw error;
  } finally {
    if (outcome === 'made') space.stored(size);
    else space.released(size);
  }
}

async function fill(
  options: PromoteOptions,
  partial: PartialBlob,
  size: number,
  signal: AbortSignal,
): Promise<PromotionOutcome> {
  const resumed = partial.length;
  try {
    if (resumed > size)
      throw new WrongBlobError(partial.digest, `${size} bytes`, `${resumed} bytes`);
    await append(options, partial, signal);
    await partial.commit(size);
    return 'made';
  } catch (error) {
    return await giveUp(options, partial, resumed, error);
  }
}

/** What becomes of a partial blob that could not be filled; rejects with errors that are not of the layer. */
async function giveUp(
  { onDamaged }: PromoteOptions,
  partial: PartialBlob,
  resumed: number,
  error: unknown,
): Promise<PromotionOutcome> {
  const isFull = hasCode(error, 'ENOSPC') || hasCode(error, 'EDQUOT');
  const isUnmade = error instanceof UnmadeError || error instanceof WrongBlobError;
  if (!isFull && !isUnmade) {
    await partial.suspend();
    throw error;
  }
  await partial.discard();
  if (isFull) return 'no-room';
  // Wrong bytes may be what an earlier fill left. Without it, what the layer is made of is wrong.
  const isDamaged = error instanceof UnmadeError ? error.isDamage : resumed === 0;
  if (isDamaged) await onDamaged(partial.digest, error);
  return 'left';
}

/** The layer cannot be made: it is damaged, or gone. Errors of the disk that is written to are others. */
class UnmadeError extends Error {
  override readonly name = 'UnmadeError';
  readonly code = 'NOT_MADE';
  readonly isDamage: boolean;

  constructor(digest: Digest, cause: unknown) {
    super(`${digest} cannot be made again`, { cause });
    this.isDamage = isDamage(cause);
  }
}

/** Appends what the partial blob lacks. */
async function append(
  options: PromoteOptions,
  partial: PartialBlob,
  signal: AbortSignal,
): Promise<void> {
  for await (const piece of readFrom(options, partial.digest, partial.length, signal)) {
    await partial.append(piece);
    await options.untilQuiet(signal);
  }
}

/** The layer from a position on. A piece is valid until the next one is asked for. */
async function* readFrom(
  { openRestoration }: PromoteOptions,
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
