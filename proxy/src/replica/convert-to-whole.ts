// Gives every layer that is only a recipe its whole copy back, for modes that keep all of them.

import type { Config } from '../config/config.ts';
import type { FileIndex } from '../dedup/file-index.ts';
import type { Log } from '../log.ts';
import type { Digest } from '../oci/digest.ts';
import type { BlobStore } from '../store/blob-store.ts';
import type { PromotionOutcome } from './promote.ts';

export interface ConvertToWholeOptions {
  readonly config: Pick<Config, 'dedup'>;
  readonly whole: Pick<BlobStore, 'stat'>;
  readonly files: Pick<FileIndex, 'listLayers'>;
  readonly log: Log;
  makeWhole(digest: Digest): Promise<PromotionOutcome>;
}

/** False when some are left: there is no room, or they cannot be made now. */
export async function convertToWhole(
  { config, whole, files, log, makeWhole }: ConvertToWholeOptions,
  signal: AbortSignal,
): Promise<boolean> {
  const recipeOnly: Digest[] = [];
  for await (const { digest, kind } of files.listLayers()) {
    if (kind === 'recipe' && (await whole.stat(digest)) === undefined) recipeOnly.push(digest);
  }
  if (recipeOnly.length === 0) return true;
  const { mode } = config.dedup;
  log.info({ mode, layers: recipeOnly.length }, 'layers get their whole copies back');
  let made = 0;
  let isFull = false;
  for (const digest of recipeOnly) {
    signal.throwIfAborted();
    const outcome = await makeWhole(digest);
    if (outcome === 'made') made += 1;
    isFull = outcome === 'no-room';
    if (isFull) break;
  }
  const left = recipeOnly.length - made;
  log.info({ mode, layers: made, left, isFull }, 'layers got their whole copies back');
  return left === 0;
}
