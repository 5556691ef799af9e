// What each layer that has a recipe takes on the disk, when files are shared: its recipe, and of the packs
// as much as its tar has of all tars. The sum is what recipes and packs take.

import type { FileTotals, RecipeRecord } from './file-index.ts';

export class LayerShares {
  /** Bytes of packs for each byte of tar. */
  readonly #ratio: number;

  constructor({ bytes }: FileTotals) {
    this.#ratio = bytes.tar === 0 ? 0 : bytes.packs / bytes.tar;
  }

  of({ recipeSize, tarSize }: RecipeRecord): number {
    return Math.round(recipeSize + tarSize * this.#ratio);
  }
}
