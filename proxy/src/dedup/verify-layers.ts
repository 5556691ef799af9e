// Makes every layer again that has a recipe beside its whole copy, compares each layer's files with what its
// recipe says, and counts files anew. Layers that are only recipes are blobs of the store, and made
// again with the others.

import type { Core } from 'mica-core/core';
import type { Digest } from '../oci/digest.ts';
import type { Clock } from '../runtime/runtime.ts';
import type { BlobStore } from '../store/blob-store.ts';
import type { Damage } from '../store/verify-store.ts';
import type { FileIndex, Miscount } from './file-index.ts';
import type { RecipeStore } from './recipe-store.ts';
import type { TieredBlobStore } from './tiered-blob-store.ts';

export interface VerifyLayersOptions {
  readonly store: TieredBlobStore;
  readonly whole: Pick<BlobStore, 'stat'>;
  readonly index: FileIndex;
  readonly recipes: RecipeStore;
  readonly core: Pick<Core, 'fileIds'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly repair: boolean;
  /** Called after each layer with how many were looked at. */
  onProgress?(done: number): void;
}

export interface VerifiedLayers {
  readonly recipes: number;
  readonly damage: readonly Damage[];
}

export async function verifyLayers(options: VerifyLayersOptions): Promise<VerifiedLayers> {
  const { index, repair } = options;
  const damage: Damage[] = [];
  let recipes = 0;
  for await (const { digest, kind } of index.listLayers()) {
    if (kind !== 'recipe') continue;
    recipes += 1;
    const found =
      (await verifyBesideWhole(options, digest)) ?? (await verifyFiles(options, digest));
    if (found !== undefined) damage.push(found);
    if (found?.isRepaired === true) await takeOut(options, digest);
    options.onProgress?.(recipes);
  }
  const miscounts = await index.recount(repair);
  return { recipes, damage: [...damage, ...miscounts.map((miscount) => tell(miscount, repair))] };
}

async function verifyBesideWhole(
  { store, whole, repair }: VerifyLayersOptions,
  digest: Digest,
): Promise<Damage | undefined> {
  if ((await whole.stat(digest)) === undefined) return undefined;
  try {
    if ((await store.verifyRecipe(digest)) !== 'damaged') return undefined;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { kind: 'unreadable', subject: digest, reason, isRepaired: false };
  }
  return { kind: 'damaged', subject: `recipe of ${digest}`, isRepaired: repair };
}

/** A layer whose files are counted otherwise than its recipe says could lose them while it needs them. */
async function verifyFiles(
  { index, recipes, core, repair }: VerifyLayersOptions,
  digest: Digest,
): Promise<Damage | undefined> {
  // A recipe that cannot be read was told of as damaged.
  const ids = await core.fileIds(recipes.path(digest)).catch(() => undefined);
  if (ids === undefined || (await index.isMadeOf(digest, ids))) return undefined;
  return { kind: 'miscounted', subject: `files of ${digest}`, isRepaired: repair };
}

/** A whole copy is taken apart anew; without one the layer is fetched when it is asked for. */
async function takeOut(
  { store, whole, index, clock }: VerifyLayersOptions,
  digest: Digest,
): Promise<void> {
  await store.removeRecipe(digest);
  if ((await whole.stat(digest)) !== undefined) await index.enqueue(digest, clock.now());
}

function tell({ subject, got, expected }: Miscount, isRepaired: boolean): Damage {
  const reason = `the index counts ${got}, there are ${expected}`;
  return { kind: 'miscounted', subject, reason, isRepaired };
}
