// Gives a layer that is only a recipe its whole copy back: made again into a partial blob, and committed,
// so that size and digest are checked like those of any blob.

import type { FileIndex } from '../dedup/file-index.ts';
import type { Digest } from '../oci/digest.ts';
import { type BlobStore, type PartialBlob, WrongBlobError } from '../store/blob-store.ts';
import { BusyBlobError } from '../store/disk-blob-store.ts';
import { hasCode } from '../store/file-error.ts';
import type { Space } from '../store/space.ts';
import { UnmadeError } from './layer-pieces.ts';
import { BusyMirrorError } from './quiet.ts';
import { PartialRunError } from './run-pieces.ts';

/** `made`: it is whole now. `no-room`: nothing was kept. `left`: another time; what was made may be kept. */
export type PromotionOutcome = 'made' | 'no-room' | 'left';

export interface PromoteOptions {
  /** Where whole copies are. */
  readonly whole: BlobStore;
  readonly space: Space;
  readonly files: Pick<FileIndex, 'getLayer'>;
  /** Whether the copy may take the place of images. */
  readonly mayEvict: boolean;
  /** The layer's bytes from a position on. A piece is valid until the next one is asked for. */
  pieces(digest: Digest, start: number, signal: AbortSignal): AsyncIterable<Uint8Array>;
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
  const { whole, space, files, mayEvict } = options;
  const record = await files.getLayer(digest);
  if (record?.kind !== 'recipe' || (await whole.stat(digest)) !== undefined) return 'left';
  const { size } = record;
  if (!(await space.admit(size, mayEvict))) return 'no-room';
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
    if (isForLater(error)) return 'left';
    throw error;
  } finally {
    if (outcome === 'made') space.stored(size);
    else space.released(size);
  }
}

/** Its fetch runs, clients come first, or went before the end: what was made is taken up another time. */
function isForLater(error: unknown): boolean {
  return (
    error instanceof BusyBlobError ||
    error instanceof BusyMirrorError ||
    error instanceof PartialRunError
  );
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

/** Appends what the partial blob lacks. */
async function append(
  { pieces, untilQuiet }: PromoteOptions,
  partial: PartialBlob,
  signal: AbortSignal,
): Promise<void> {
  for await (const piece of pieces(partial.digest, partial.length, signal)) {
    await partial.append(piece);
    await untilQuiet(signal);
  }
}
