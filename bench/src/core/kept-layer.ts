// A layer as a store keeps it: a recipe, and a pack with its files.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { placePacked } from 'mica/dist/src/dedup/located-layer.js';
import type { Core, IngestedLayer, Restoration } from 'mica-core/core';

/** Paths, so that other processes can use it. */
export interface KeptLayer {
  readonly recipe: string;
  readonly pack: string;
  /** Where each file of the recipe is in the pack. */
  readonly places: string;
}

/** Takes a layer apart into `folder`. */
export async function keepLayer(
  core: Core,
  layer: string,
  folder: string,
): Promise<{ readonly kept: KeptLayer; readonly ingested: IngestedLayer }> {
  const name = (what: string): string => join(folder, what);
  const kept = { recipe: name('recipe'), pack: name('pack'), places: name('places') };
  const ingested = await core.ingest(layer, { recipe: kept.recipe });
  const packed = await core.packFiles(layer, { recipe: kept.recipe, pack: kept.pack });
  const ids = await core.fileIds(kept.recipe);
  await writeFile(kept.places, placePacked(ids, packed.files, packed.places));
  return { kept, ingested };
}

export async function openKeptLayer(core: Core, kept: KeptLayer): Promise<Restoration> {
  const { recipe, pack, places } = kept;
  return await core.openRestoration({ recipe, packs: [pack], places: await readFile(places) });
}
