// A layer's whole way through the core: taken apart, its files packed, made again.

import { join } from 'node:path';
import {
  type Core,
  FILE_ID_SIZE,
  type IngestedLayer,
  type PackedFiles,
  PLACE_SIZE,
  type Restoration,
} from '../../src/core.ts';

export interface TakenApart {
  readonly ingested: IngestedLayer;
  readonly packed: PackedFiles;
  /** For each file of the recipe. */
  readonly places: Uint8Array;
  readonly restoration: Restoration;
}

/** Takes a layer apart into an empty folder, which has to stay while the restoration is used. */
export async function takeApart(core: Core, layer: string, folder: string): Promise<TakenApart> {
  const recipe = join(folder, 'recipe');
  const pack = join(folder, 'pack');
  const ingested = await core.ingest(layer, { recipe });
  const packed = await core.packFiles(layer, { recipe, pack });
  const places = placesOfAll(await core.fileIds(recipe), packed);
  const restoration = await core.openRestoration({ recipe, packs: [pack], places });
  return { ingested, packed, places, restoration };
}

/** Where each file is: a file that occurs again is where it was packed the first time. */
function placesOfAll(ids: Uint8Array, packed: PackedFiles): Uint8Array {
  const indexById = new Map(Array.from(packed.files, (file, index) => [idAt(ids, file), index]));
  const count = ids.length / FILE_ID_SIZE;
  const places = new Uint8Array(count * PLACE_SIZE);
  for (let file = 0; file < count; file += 1) {
    const index = indexById.get(idAt(ids, file));
    if (index === undefined) throw new Error(`file ${file} is in no pack`);
    const place = packed.places.subarray(index * PLACE_SIZE, (index + 1) * PLACE_SIZE);
    places.set(place, file * PLACE_SIZE);
  }
  return places;
}

function idAt(ids: Uint8Array, file: number): string {
  const start = file * FILE_ID_SIZE;
  const { buffer, byteOffset, length } = ids;
  return Buffer.from(buffer, byteOffset, length).toString('latin1', start, start + FILE_ID_SIZE);
}
