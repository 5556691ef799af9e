// Brings queue, records, recipes and packs in line with what is stored: layers that nobody has looked at
// are queued, and what was left behind by crashes and by layers that are gone is taken away.

import type { Digest } from '../oci/digest.ts';
import type { Clock } from '../runtime/runtime.ts';
import type { BlobStore } from '../store/blob-store.ts';
import type { FileIndex } from './file-index.ts';
import { GIVEN_UP } from './ingest-queue.ts';
import type { LayerNames } from './layer-names.ts';
import type { PackStore } from './pack-store.ts';
import type { RecipeStore } from './recipe-store.ts';

/** Age at which a file that the index does not know is removed, ms: its entry follows within moments. */
const UNKNOWN_AGE_MS = 60 * 60 * 1000;

/** How long a layer that was given up is left alone, ms. */
const GIVEN_UP_MS = 24 * 60 * 60 * 1000;

/** The reason of a layer that is not worth the work. */
export const TOO_SMALL = 'TOO_SMALL';

export interface CollectLayersOptions {
  readonly whole: BlobStore;
  readonly index: FileIndex;
  readonly packs: PackStore;
  readonly recipes: RecipeStore;
  readonly clock: Pick<Clock, 'now'>;
}

export interface QueueLayersOptions {
  readonly whole: BlobStore;
  readonly index: FileIndex;
  readonly names: LayerNames;
  readonly clock: Pick<Clock, 'now'>;
  /** Bytes below which a layer stays whole. */
  readonly minLayer: number;
}

export interface CollectedLayers {
  readonly recipes: number;
  readonly packs: number;
  readonly bytes: number;
}

/** Queues a layer that was stored whole, unless it is known; says whether it did. */
export async function queueLayer(
  { index, names, clock, minLayer }: QueueLayersOptions,
  digest: Digest,
  size: number,
): Promise<boolean> {
  if (!names.has(digest)) return false;
  const storedMs = clock.now();
  if (size >= minLayer) return await index.enqueue(digest, storedMs);
  if ((await index.getLayer(digest)) === undefined)
    await index.putWhole(digest, { kind: 'whole', size, reason: TOO_SMALL, storedMs });
  return false;
}

/** Queues all layers that are stored and not known, and those that were given up long ago. */
export async function queueLayers(options: QueueLayersOptions): Promise<number> {
  const { whole, index, clock } = options;
  let queued = 0;
  for await (const { digest, size } of whole.list()) {
    const record = await index.getLayer(digest);
    const isGivenUp = record?.kind === 'whole' && record.reason === GIVEN_UP;
    if (record !== undefined && !(isGivenUp && record.storedMs < clock.now() - GIVEN_UP_MS)) {
      continue;
    }
    if (isGivenUp) await index.removeLayer(digest);
    if (await queueLayer(options, digest, size)) queued += 1;
  }
  return queued;
}

/** Takes away records of layers that are gone, and recipes and packs that no record speaks of. */
export async function collectLayers(options: CollectLayersOptions): Promise<CollectedLayers> {
  await forgetGone(options);
  const recipes = await removeUnknownRecipes(options);
  const packs = await removeUnknownPacks(options);
  return {
    recipes: recipes.length,
    packs: packs.length,
    bytes: [...recipes, ...packs].reduce((sum, size) => sum + size, 0),
  };
}

async function forgetGone({ whole, index }: CollectLayersOptions): Promise<void> {
  for await (const { digest } of index.listQueue()) {
    if ((await whole.stat(digest)) === undefined) await index.dequeue(digest);
  }
  for await (const { digest, kind } of index.listLayers()) {
    if (kind !== 'whole' || (await whole.stat(digest)) !== undefined) continue;
    await index.removeLayer(digest);
  }
}

async function removeUnknownRecipes(options: CollectLayersOptions): Promise<number[]> {
  const { index, recipes, clock } = options;
  const removed: number[] = [];
  for await (const { digest, allocated, modifiedMs } of recipes.list()) {
    if (modifiedMs > clock.now() - UNKNOWN_AGE_MS) continue;
    if ((await index.getLayer(digest))?.kind === 'recipe') continue;
    await recipes.remove(digest);
    removed.push(allocated);
  }
  return removed;
}

/** Also what a crash left behind the end of a pack, and packs in which nothing was ever committed. */
async function removeUnknownPacks(options: CollectLayersOptions): Promise<number[]> {
  const { index, packs, clock } = options;
  const removed: number[] = [];
  for await (const { number, size, allocated, modifiedMs } of packs.list()) {
    if (modifiedMs > clock.now() - UNKNOWN_AGE_MS) continue;
    const record = await index.getPack(number);
    if (record !== undefined && record.size > 0) {
      if (size > record.size) await packs.prepare(number, record.size);
      continue;
    }
    await index.sealPack(number);
    if (record !== undefined && !(await index.removePack(number))) continue;
    await packs.remove(number);
    removed.push(allocated);
  }
  return removed;
}
