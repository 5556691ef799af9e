// What the layers of a store are and take, counted.

import type { Digest } from '../oci/digest.ts';
import type { BlobStore } from '../store/blob-store.ts';
import { TOO_SMALL } from './collect-layers.ts';
import type { FileIndex, FileTotals } from './file-index.ts';

/** Sizes are bytes. */
export interface LayerStats {
  readonly layers: {
    readonly total: number;
    /** Those that are there as a whole copy. */
    readonly whole: number;
    /** Those that are made again whenever they are asked for. */
    readonly recipeOnly: number;
    /** Those that are still to be taken apart. */
    readonly pending: number;
    /** Those that stay whole as they cannot be made again to the bit, or not with a gain. */
    readonly notExact: number;
    /** Why layers stay whole, and how many for each reason. */
    readonly reasons: Readonly<Record<string, number>>;
  };
  readonly bytes: {
    /** Of the layers' tars; a layer that was not taken apart counts as it is. */
    readonly tar: number;
    /** Of the layers as registries have them. */
    readonly compressed: number;
    /** What the data folder takes on the disk, everything in it counted. */
    readonly stored: number;
    readonly recipes: number;
    readonly packs: number;
  };
  readonly files: {
    readonly unique: number;
    readonly duplicate: number;
  };
  /** The hot set: layers with a recipe that are there whole too, so that nobody waits for them. */
  readonly hot: {
    readonly layers: number;
    readonly bytes: number;
  };
}

export interface LayerStatsOptions {
  readonly whole: Pick<BlobStore, 'list'>;
  readonly index: FileIndex;
  /** What the data folder takes on the disk, bytes. */
  readonly stored: number;
}

/** Reads all records and lists all whole blobs. */
export async function readLayerStats(options: LayerStatsOptions): Promise<LayerStats> {
  const { whole, index, stored } = options;
  const sizes = new Map<Digest, number>();
  for await (const { digest, size } of whole.list()) sizes.set(digest, size);
  const totals = await index.totals();
  const kept = await countKept(index, sizes);
  const { bytes, files } = totals;
  const { recipes, packs } = bytes;
  return {
    layers: {
      total: kept.recipes + kept.whole,
      whole: kept.whole + kept.both,
      recipeOnly: kept.recipes - kept.both,
      pending: totals.layers.queued,
      notExact: countNotExact(totals),
      reasons: totals.reasons,
    },
    bytes: {
      tar: bytes.tar + kept.wholeSize,
      compressed: bytes.compressed + kept.wholeSize,
      ...{ stored, recipes, packs },
    },
    files: { unique: files.unique, duplicate: files.duplicate },
    hot: { layers: kept.both, bytes: kept.bothSize },
  };
}

interface KeptLayers {
  readonly recipes: number;
  /** Recipes with a whole copy. */
  readonly both: number;
  readonly bothSize: number;
  /** Layers without a recipe. */
  readonly whole: number;
  readonly wholeSize: number;
}

async function countKept(
  index: FileIndex,
  sizes: ReadonlyMap<Digest, number>,
): Promise<KeptLayers> {
  const kept = { recipes: 0, both: 0, bothSize: 0, whole: 0, wholeSize: 0 };
  const addWhole = (digest: Digest) => {
    const size = sizes.get(digest);
    if (size === undefined) return;
    kept.whole += 1;
    kept.wholeSize += size;
  };
  for await (const { digest, kind } of index.listLayers()) {
    if (kind === 'whole') {
      addWhole(digest);
      continue;
    }
    kept.recipes += 1;
    const size = sizes.get(digest);
    if (size === undefined) continue;
    kept.both += 1;
    kept.bothSize += size;
  }
  for await (const { digest } of index.listQueue()) addWhole(digest);
  return kept;
}

/** All that stay whole, but for those that were not worth a try. */
function countNotExact({ layers, reasons }: FileTotals): number {
  return layers.whole - (reasons[TOO_SMALL] ?? 0);
}
