// Makes every layer again that has a recipe beside its whole copy, and counts files anew. Layers that are
// only recipes are blobs of the store, and checked with the others.

import type { Core } from 'mica-core/core';
import { FILE_ID_SIZE } from 'mica-core/core';
import type { Digest } from '../oci/digest.ts';
import type { Clock } from '../runtime/runtime.ts';
import type { BlobStore } from '../store/blob-store.ts';
import type { Damage } from '../store/verify-store.ts';
import type { FileIndex, FileTotals } from './file-index.ts';
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
  const damage: Damage[] = [];
  let recipes = 0;
  for await (const { digest, kind } of options.index.listLayers()) {
    if (kind !== 'recipe') continue;
    recipes += 1;
    const found = await verifyBesideWhole(options, digest);
    if (found !== undefined) damage.push(found);
    options.onProgress?.(recipes);
  }
  return { recipes, damage: [...damage, ...(await recount(options))] };
}

async function verifyBesideWhole(
  options: VerifyLayersOptions,
  digest: Digest,
): Promise<Damage | undefined> {
  const { store, whole, index, clock, repair } = options;
  if ((await whole.stat(digest)) === undefined) return undefined;
  try {
    if ((await store.verifyRecipe(digest)) !== 'damaged') return undefined;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { kind: 'unreadable', subject: digest, reason, isRepaired: false };
  }
  if (repair) {
    await store.removeRecipe(digest);
    await index.enqueue(digest, clock.now());
  }
  return { kind: 'damaged', subject: `recipe of ${digest}`, isRepaired: repair };
}

/** Compares what the index counts with what all recipes say; nothing while the store changes. */
async function recount({ index, recipes, core }: VerifyLayersOptions): Promise<Damage[]> {
  const before = await index.totals();
  const unique = new Set<string>();
  let occurrences = 0;
  for await (const { digest, kind } of index.listLayers()) {
    if (kind !== 'recipe') continue;
    // What cannot be read was told of as damaged.
    const ids = await core.fileIds(recipes.path(digest)).catch(() => undefined);
    if (ids === undefined) return [];
    for (let at = 0; at < ids.length; at += FILE_ID_SIZE) {
      unique.add(String.fromCharCode(...ids.subarray(at, at + FILE_ID_SIZE)));
      occurrences += 1;
    }
  }
  const after = await index.totals();
  if (!isSame(before, after)) return [];
  return [
    ...compare('unique files', after.files.unique, unique.size),
    ...compare('duplicate files', after.files.duplicate, occurrences - unique.size),
  ];
}

function isSame(one: FileTotals, other: FileTotals): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function compare(subject: string, got: number, expected: number): Damage[] {
  if (got === expected) return [];
  const reason = `the index counts ${got}, the recipes have ${expected}`;
  return [{ kind: 'miscounted', subject, reason, isRepaired: false }];
}
