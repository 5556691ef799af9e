// Takes away packs in which no layer needs anything any more.

import type { FileIndex, PackRecord } from './file-index.ts';
import type { PackStore } from './pack-store.ts';

export interface CollectPacksOptions {
  readonly index: FileIndex;
  readonly packs: PackStore;
}

export interface CollectedPacks {
  readonly removed: number;
  readonly bytes: number;
}

/** Removes packs without a live file: from the index first, then from the disk. */
export async function collectPacks(options: CollectPacksOptions): Promise<CollectedPacks> {
  const { index, packs } = options;
  let removed = 0;
  let bytes = 0;
  for await (const pack of index.listPacks()) {
    if (pack.liveSize > 0 || pack.size === 0) continue;
    if (!(await removePack(options, pack))) continue;
    await packs.remove(pack.number);
    removed += 1;
    bytes += pack.size;
  }
  return { removed, bytes };
}

/** An open pack is sealed, so that its owner begins another one. What it is appending now may still be committed. */
async function removePack({ index }: CollectPacksOptions, pack: PackRecord): Promise<boolean> {
  if (!pack.isSealed) await index.sealPack(pack.number);
  return await index.removePack(pack.number);
}
