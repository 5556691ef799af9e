// Tells that the index is not the one that the packs belong to: it was lost, or an older one was put back.
//
// A pack's number is in the index before the pack is on the disk. So a pack with a higher number than the
// last one given is of another index. What it holds is unknown and is not served; its number is not used again.

import type { Log } from '../log.ts';
import type { FileIndex } from './file-index.ts';
import type { PackStore } from './pack-store.ts';
import type { RecipeStore } from './recipe-store.ts';

export interface TellLostIndexOptions {
  readonly index: Pick<FileIndex, 'getLayer' | 'skipPacks'>;
  readonly packs: Pick<PackStore, 'highest' | 'list'>;
  readonly recipes: Pick<RecipeStore, 'list'>;
  readonly log: Log;
}

/** To be called before anything is appended. Says whether the index was lost. */
export async function tellLostIndex(options: TellLostIndexOptions): Promise<boolean> {
  const { index, packs, log } = options;
  const highest = await packs.highest();
  if (highest === 0) return false;
  const last = await index.skipPacks(highest);
  if (last >= highest) return false;
  log.error(
    await countUnknown(options, last),
    'the index was lost, or is older than the packs: layers that it does not know are fetched again when ' +
      'they are asked for; what is unknown then is removed by a collection, within two hours',
  );
  return true;
}

/** What no client can get any more, and its bytes on the disk. */
async function countUnknown({ index, packs, recipes }: TellLostIndexOptions, last: number) {
  const unknown = { recipes: 0, packs: 0, bytes: 0 };
  for await (const { number, allocated } of packs.list()) {
    if (number <= last) continue;
    unknown.packs += 1;
    unknown.bytes += allocated;
  }
  for await (const { digest, allocated } of recipes.list()) {
    if ((await index.getLayer(digest))?.kind === 'recipe') continue;
    unknown.recipes += 1;
    unknown.bytes += allocated;
  }
  return unknown;
}
