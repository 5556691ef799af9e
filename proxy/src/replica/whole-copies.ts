// Which layers that can be made again are kept whole too: all of them, none, or those that save most, inside
// a budget.

import type { Config } from '../config/config.ts';
import type { FileIndex, RecipeRecord } from '../dedup/file-index.ts';
import type { Log } from '../log.ts';
import type { Digest } from '../oci/digest.ts';
import type { Files } from '../runtime/runtime.ts';
import type { BlobStore } from '../store/blob-store.ts';
import { allocatedSize } from '../store/holdings.ts';
import type { Index } from '../store/index.ts';
import { resolveQuota } from '../store/quota.ts';
import type { Popularity } from './popularity.ts';
import type { ReplicaObserver } from './replica-observer.ts';
import {
  compareWorth,
  HYSTERESIS_RATIO,
  type Promotion,
  planPromotions,
  type RatedLayer,
  worthOf,
} from './worth.ts';

/** After trimming so much of the budget is in use, so that not every new layer trims. */
const TRIMMED_RATIO = 0.95;

export interface WholeCopiesOptions {
  readonly config: Pick<Config, 'dedup' | 'data' | 'quota'>;
  readonly whole: BlobStore;
  readonly files: FileIndex;
  readonly index: Pick<Index, 'getLastUse'>;
  readonly popularity: Pick<Popularity, 'countOf'>;
  readonly runtime: { readonly files: Pick<Files, 'space'> };
  readonly observer: Pick<ReplicaObserver, 'demoted'>;
  readonly log: Log;
  /** Whether the copy was made ahead and is still waited for: it does not go. */
  isAwaited?(digest: Digest): boolean;
}

export class WholeCopies {
  readonly #options: WholeCopiesOptions;
  /** Bytes of whole copies that have a recipe; undefined until they were first counted. */
  #used: number | undefined;
  #trimming: Promise<void> | undefined;
  /** What the copy is worth that would go next, as it was when they were last counted. */
  #leastWorth = 0;

  constructor(options: WholeCopiesOptions) {
    this.#options = options;
  }

  /** A layer has got its recipe: its copy goes at once, or those worth least when there are too many. */
  async ingested(digest: Digest, size: number): Promise<void> {
    if ((await this.budget()) === 0) {
      await this.remove([digest]);
      return;
    }
    await this.stored(size);
  }

  /** A layer that has a recipe was stored whole. */
  async stored(size: number): Promise<void> {
    if (this.#used !== undefined) this.#used += allocatedSize(size);
    await this.fit();
  }

  /**
   * Whether a layer that is made now anyway should stay whole: there is room, or others are worth less. Not
   * before the copies were first counted: nobody waits for that.
   */
  async isWanted(digest: Digest, { size, restoreSeconds }: RecipeRecord): Promise<boolean> {
    const budget = (await this.budget()) * TRIMMED_RATIO;
    if (budget === Number.POSITIVE_INFINITY) return true;
    const stored = allocatedSize(size);
    if (stored > budget || this.#used === undefined) return false;
    if (this.#used + stored <= budget) return true;
    const count = this.#options.popularity.countOf(digest);
    return worthOf({ size: stored, count, restoreSeconds }) > HYSTERESIS_RATIO * this.#leastWorth;
  }

  /** Trims if copies are over the budget. */
  async fit(): Promise<void> {
    if (this.#used === undefined || this.#used > (await this.budget())) await this.trim();
  }

  /** Removes whole copies, those worth least first, until they fit the budget. */
  trim(): Promise<void> {
    this.#trimming ??= this.#trim().finally(() => {
      this.#trimming = undefined;
    });
    return this.#trimming;
  }

  /** The layers that should get a whole copy, the best first. What trimming removes is none of them. */
  async plan(): Promise<Promotion[]> {
    const layers = await this.#list();
    return planPromotions(layers, (await this.budget()) * TRIMMED_RATIO);
  }

  /** Removes copies of layers that can be made again; gives how many were there. */
  async remove(digests: readonly Digest[]): Promise<number> {
    const { whole, observer } = this.#options;
    let removed = 0;
    for (const digest of digests) {
      const size = await whole.stat(digest);
      if (size === undefined || !(await whole.remove(digest))) continue;
      removed += 1;
      if (this.#used !== undefined) this.#used -= allocatedSize(size);
    }
    if (removed > 0) observer.demoted(removed);
    return removed;
  }

  /** Bytes that whole copies may have. */
  async budget(): Promise<number> {
    const { mode, replicas } = this.#options.config.dedup;
    switch (mode) {
      case 'off':
        return Number.POSITIVE_INFINITY;
      case 'b':
        return replicas === 0 ? 0 : Number.POSITIVE_INFINITY;
      case 's':
        return await this.#rawBudget();
    }
  }

  async #trim(): Promise<void> {
    const budget = await this.budget();
    const copies = (await this.#list()).filter(({ isWhole }) => isWhole).sort(compareWorth);
    let used = copies.reduce((sum, { size }) => sum + size, 0);
    this.#used = used;
    const [least] = copies;
    this.#leastWorth = least === undefined ? 0 : worthOf(least);
    if (used <= budget) return;
    const removed: Digest[] = [];
    for (const copy of copies) {
      this.#leastWorth = worthOf(copy);
      if (used <= budget * TRIMMED_RATIO) break;
      if (this.#options.isAwaited?.(copy.digest) === true) continue;
      removed.push(copy.digest);
      used -= copy.size;
    }
    const layers = await this.remove(removed);
    if (layers > 0) this.#options.log.info({ layers, used, budget }, 'whole copies were removed');
  }

  /** All layers that can be made again. */
  async #list(): Promise<RatedLayer[]> {
    const { whole, files, index, popularity } = this.#options;
    const copies = new Map<Digest, number>();
    for await (const { digest, modifiedMs } of whole.list()) copies.set(digest, modifiedMs);
    const layers: RatedLayer[] = [];
    for await (const layer of files.listLayers()) {
      if (layer.kind !== 'recipe') continue;
      const { digest, size, restoreSeconds } = layer;
      const modifiedMs = copies.get(digest);
      layers.push({
        ...{ digest, size: allocatedSize(size), restoreSeconds },
        isWhole: modifiedMs !== undefined,
        count: popularity.countOf(digest),
        lastUseMs: Math.max(modifiedMs ?? 0, await index.getLastUse(digest)),
      });
    }
    return layers;
  }

  /** A share is one of what the store may hold. */
  async #rawBudget(): Promise<number> {
    const { config, runtime } = this.#options;
    const { rawBudget } = config.dedup;
    if (rawBudget.kind === 'bytes') return rawBudget.bytes;
    const disk = await runtime.files.space(config.data);
    return rawBudget.ratio * resolveQuota(config.quota, disk, this.#used ?? 0);
  }
}
