// The first pass over a layer: its recipe, and those of its files that are new in a pack; or why it stays
// whole.

import { type Core, type IngestedLayer, type IngestOptions, isCoreError } from 'mica-core/core';
import { type Digest, digestAlgorithm } from '../oci/digest.ts';
import type { FileIndex } from './file-index.ts';
import type { Appended, LayerPacks } from './layer-packs.ts';

/**
 * Bytes of tar in a layer at most: half as much again as the largest images of Docker Hub, and minutes
 * of work for a bomb. Its recipe has to be readable: core-rs/doc/recipe-format.md, directory.
 */
const TAR_LIMIT = 64 * 1024 * 1024 * 1024;

/** A recipe that is more than this share of its layer saves nothing: the files come on top of it. */
const MAX_RECIPE_RATIO = 0.5;

/** Codes of the core that speak of a layer's own bytes. */
const LAYER_FAULT = /^(LAYER|GZIP|DEFLATE|TAR|RECIPE|SEGMENT)_/;

export interface TakeApartParts {
  readonly core: Core;
  readonly index: FileIndex;
  readonly packs: LayerPacks;
}

export interface TakeApartOptions extends Required<Pick<IngestOptions, 'isProvenLater'>> {
  readonly digest: Digest;
  /** Path of the whole layer. */
  readonly path: string;
  /** Path of the recipe, which is made. */
  readonly recipe: string;
  readonly signal: AbortSignal;
  /** Hears the bytes of the layer that were read so far. */
  onProgress(done: number): void;
}

/**
 * `whole`: it stays, for the reason, which is a code. `damaged`: the bytes are not those of the digest.
 */
export type NotTakenApart =
  | { readonly kind: 'whole'; readonly size: number; readonly reason: string }
  | { readonly kind: 'damaged' };

/** The pack is the one that new files went to, if any did. */
export type TakenApart = { readonly kind: 'taken' } & Appended<IngestedLayer>;

export async function takeApart(
  parts: TakeApartParts,
  options: TakeApartOptions,
): Promise<TakenApart | NotTakenApart> {
  const { digest, path, signal } = options;
  try {
    const taken = await ingest(parts, options);
    const { summary, inexact, recipeSize } = taken.value;
    if (summary.digest !== digest) return { kind: 'damaged' };
    if (inexact !== undefined) return { kind: 'whole', size: summary.size, reason: inexact.code };
    if (recipeSize > summary.size * MAX_RECIPE_RATIO) {
      return { kind: 'whole', size: summary.size, reason: 'RECIPE_LARGE' };
    }
    return { kind: 'taken', ...taken };
  } catch (error) {
    if (!isCoreError(error) || !LAYER_FAULT.test(error.code)) throw error;
    const algorithm = digestAlgorithm(digest);
    const found = await parts.core.hashFile(path, { algorithm, signal });
    if (found.digest !== digest) return { kind: 'damaged' };
    return { kind: 'whole', size: found.size, reason: error.code };
  }
}

function ingest(
  { core, index, packs }: TakeApartParts,
  { digest, path, ...options }: TakeApartOptions,
): Promise<Appended<IngestedLayer>> {
  const missing = async (ids: Uint8Array) => (await index.locate(ids)).missing;
  const algorithm = digestAlgorithm(digest);
  const limits = { algorithm, tarLimit: TAR_LIMIT };
  return packs.append((pack) =>
    core.ingest(path, { ...options, ...limits, pack: { path: pack, missing } }),
  );
}
