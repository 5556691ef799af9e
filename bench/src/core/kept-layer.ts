// A layer as a store keeps it: a recipe, and a pack with its files.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Core,
  FILE_ID_SIZE,
  type IngestedLayer,
  PLACE_SIZE,
  type Restoration,
} from 'mica-core/core';

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
  await writeFile(kept.places, placeAll(ids, packed.files, packed.places));
  return { kept, ingested };
}

export async function openKeptLayer(core: Core, kept: KeptLayer): Promise<Restoration> {
  const { recipe, pack, places } = kept;
  return await core.openRestoration({ recipe, packs: [pack], places: await readFile(places) });
}

/** Places of all files of a recipe: a file that occurs often is only once in the pack. */
function placeAll(ids: Uint8Array, files: Uint32Array, places: Uint8Array): Uint8Array {
  const count = ids.length / FILE_ID_SIZE;
  const idOf = (file: number): string =>
    Buffer.from(ids.subarray(file * FILE_ID_SIZE, (file + 1) * FILE_ID_SIZE)).toString('latin1');
  const placeOf = new Map<string, Uint8Array>();
  for (const [index, file] of files.entries()) {
    placeOf.set(idOf(file), places.subarray(index * PLACE_SIZE, (index + 1) * PLACE_SIZE));
  }
  const all = new Uint8Array(count * PLACE_SIZE);
  for (let file = 0; file < count; file += 1) {
    const place = placeOf.get(idOf(file));
    if (place === undefined) {
      throw new Error(`file ${file} is not in the pack`);
    }
    all.set(place, file * PLACE_SIZE);
  }
  return all;
}
