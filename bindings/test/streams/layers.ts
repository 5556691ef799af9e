// The corpus: tars of real files, each made once, always of the same files in the same order. Full
// ones are as large as real layers; small ones are samples of them, for tests of all compressors.

import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CACHE_FOLDER, hashFile, keyOf, makeOnce } from './cache.ts';
import type { Layer, LayerName, LayerSize } from './layer.ts';
import { LAYER_RECIPES } from './layer-recipes.ts';

/** Changes whenever a recipe does, so that kept layers are made anew. */
const RECIPES_VERSION = 3;

/** Makes a layer unless it is there. The same Debian packages give the same bytes. */
export async function makeLayer(name: LayerName, size: LayerSize): Promise<Layer> {
  const recipe = LAYER_RECIPES[name];
  const key = keyOf([`${RECIPES_VERSION}`, ...(await recipe.sources())]);
  const path = join(CACHE_FOLDER, 'layers', `${name}-${size}-${key}.tar`);
  const file = await makeOnce(path, (part) => recipe.write(part, size));
  const { size: length } = await stat(file);
  return { name, size, file, length, digest: await hashFile(file) };
}
