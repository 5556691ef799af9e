// Takes recipes, and the files that only they need, out of the store: for the mode that keeps layers whole.

import type { FileIndex } from '../dedup/file-index.ts';
import type { Log } from '../log.ts';
import type { Digest } from '../oci/digest.ts';
import type { BlobStore } from '../store/blob-store.ts';

export interface DropRecipesOptions {
  readonly whole: Pick<BlobStore, 'stat' | 'verify' | 'quarantine'>;
  /** Whole copies and recipes as one. */
  readonly store: Pick<BlobStore, 'isBusy'> & { removeRecipe(digest: Digest): Promise<boolean> };
  readonly files: Pick<FileIndex, 'listLayers' | 'listQueue' | 'dequeue'>;
  readonly log: Log;
  /** Removes packs of which nobody needs anything. */
  reclaim(): Promise<unknown>;
}

/**
 * Drops the recipe of every layer that is whole, once its copy was found right; a damaged copy goes, and is
 * made again by the next round. Nothing waits to be taken apart any more. False when some are left.
 */
export async function dropRecipes(
  options: DropRecipesOptions,
  signal: AbortSignal,
): Promise<boolean> {
  const { store, files, log } = options;
  let dropped = 0;
  let left = 0;
  for await (const { digest } of files.listQueue()) await files.dequeue(digest);
  for await (const { digest, kind } of files.listLayers()) {
    signal.throwIfAborted();
    if (kind !== 'recipe') continue;
    // Somebody may be reading what the recipe makes.
    const isKept = store.isBusy(digest) || !(await isRight(options, digest));
    if (isKept) left += 1;
    else if (await store.removeRecipe(digest)) dropped += 1;
  }
  if (dropped === 0) return left === 0;
  await options.reclaim();
  log.info({ layers: dropped, left }, 'recipes were removed, as layers are kept whole');
  return left === 0;
}

async function isRight({ whole, log }: DropRecipesOptions, digest: Digest): Promise<boolean> {
  if ((await whole.stat(digest)) === undefined) return false;
  try {
    const verdict = await whole.verify(digest);
    if (verdict === 'damaged') await whole.quarantine(digest);
    return verdict === 'whole';
  } catch (error) {
    log.warn({ err: error, digest }, 'a whole copy could not be checked; its recipe stays');
    return false;
  }
}
