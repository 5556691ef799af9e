// Where the files of a layer are, kept beside its recipe: to look up ten thousand files in the index reads
// nearly all of it from the disk, on the event loop.
//
// What is kept holds as long as the index says the same version. It is a copy of what the index knows, so
// that it may be lost at any time.

import { PLACE_SIZE } from 'mica-core/core';
import { pack, unpack } from 'msgpackr';
import { z } from 'zod';
import type { Digest } from '../oci/digest.ts';
import type { LocatedFiles } from './file-index.ts';
import type { RecipeStore } from './recipe-store.ts';

/** Files below which a look-up takes no longer than reading a file, which has 4 KiB on most disks. */
const MIN_FILES = 256;

const KEPT = z.strictObject({
  version: z.string(),
  packs: z.array(z.int().nonnegative()),
  places: z.instanceof(Uint8Array),
});

export class KnownPlaces {
  readonly #recipes: Pick<RecipeStore, 'readPlaces' | 'putPlaces'>;

  constructor(recipes: Pick<RecipeStore, 'readPlaces' | 'putPlaces'>) {
    this.#recipes = recipes;
  }

  /** Undefined when they are not kept, or other ones by now. `files`: how many the layer has. */
  async read(digest: Digest, version: string, files: number): Promise<LocatedFiles | undefined> {
    if (files < MIN_FILES) return undefined;
    const bytes = await this.#recipes.readPlaces(digest, maxLength(files));
    const kept = bytes === undefined ? undefined : parse(bytes);
    if (kept?.version !== version || kept.places.length !== files * PLACE_SIZE) return undefined;
    return { places: kept.places, packs: kept.packs, missing: new Uint32Array() };
  }

  /** `version` is the index's from before the files were located. */
  async write(digest: Digest, version: string, located: LocatedFiles): Promise<void> {
    const { packs, places } = located;
    if (places.length < MIN_FILES * PLACE_SIZE) return;
    await this.#recipes.putPlaces(digest, pack({ version, packs, places }));
  }
}

/** Bytes that places may take: each file may be in another pack, a number of up to 9 bytes. */
function maxLength(files: number): number {
  return 1024 + files * (PLACE_SIZE + 9);
}

function parse(bytes: Uint8Array): z.output<typeof KEPT> | undefined {
  try {
    return KEPT.safeParse(unpack(bytes)).data;
  } catch {
    // Cut off or overwritten: as good as absent.
    return undefined;
  }
}
