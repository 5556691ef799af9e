// Which layers that can be made again are kept whole too: all of them, none, or those that were used last,
// inside a budget.

import type { Config } from '../config/config.ts';
import type { FileIndex } from '../dedup/file-index.ts';
import type { Log } from '../log.ts';
import type { Digest } from '../oci/digest.ts';
import type { Files } from '../runtime/runtime.ts';
import type { BlobStore } from '../store/blob-store.ts';
import { allocatedSize } from '../store/holdings.ts';
import type { Index } from '../store/index.ts';
import { resolveQuota } from '../store/quota.ts';

/** After trimming so much of the budget is in use, so that not every new layer trims. */
const TRIMMED_RATIO = 0.95;

export interface WholeCopiesOptions {
  readonly config: Pick<Config, 'dedup' | 'data' | 'quota'>;
  readonly whole: BlobStore;
  readonly files: FileIndex;
  readonly index: Pick<Index, 'getLastUse'>;
  readonly runtime: { readonly files: Pick<Files, 'space'> };
  readonly log: Log;
}

interface WholeCopy {
  readonly digest: Digest;
  readonly size: number;
  readonly lastUseMs: number;
}

export class WholeCopies {
  readonly #options: WholeCopiesOptions;
  /** Bytes of whole copies that have a recipe; undefined until they were first counted. */
  #used: number | undefined;
  #trimming: Promise<void> | undefined;

  constructor(options: WholeCopiesOptions) {
    this.#options = options;
  }

  /** A layer has got its recipe: its copy goes at once, or the oldest ones when there are too many. */
  async ingested(digest: Digest, size: number): Promise<void> {
    if ((await this.#budget()) === 0) {
      await this.#options.whole.remove(digest);
      return;
    }
    await this.stored(size);
  }

  /** A layer that has a recipe was stored whole. */
  async stored(size: number): Promise<void> {
    if (this.#used !== undefined) this.#used += allocatedSize(size);
    if (this.#used === undefined || this.#used > (await this.#budget())) await this.trim();
  }

  /** Removes whole copies, the least recently used first, until they fit the budget. */
  trim(): Promise<void> {
    this.#trimming ??= this.#trim().finally(() => {
      this.#trimming = undefined;
    });
    return this.#trimming;
  }

  async #trim(): Promise<void> {
    const { whole, log } = this.#options;
    const budget = await this.#budget();
    const copies = await this.#list();
    let used = copies.reduce((sum, copy) => sum + copy.size, 0);
    let removed = 0;
    const wanted = used > budget ? budget * TRIMMED_RATIO : used;
    for (const { digest, size } of copies) {
      if (used <= wanted) break;
      if (await whole.remove(digest)) removed += 1;
      used -= size;
    }
    this.#used = used;
    if (removed > 0) log.info({ layers: removed, used, budget }, 'whole copies were removed');
  }

  /** Copies that can be made again, least recently used first. */
  async #list(): Promise<WholeCopy[]> {
    const { whole, files, index } = this.#options;
    const copies: WholeCopy[] = [];
    for await (const { digest, size, modifiedMs } of whole.list()) {
      if ((await files.getLayer(digest))?.kind !== 'recipe') continue;
      const lastUseMs = Math.max(modifiedMs, await index.getLastUse(digest));
      copies.push({ digest, size: allocatedSize(size), lastUseMs });
    }
    return copies.sort((one, other) => one.lastUseMs - other.lastUseMs);
  }

  /** Bytes that whole copies may have. */
  async #budget(): Promise<number> {
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

  /** A share is one of what the store may hold. */
  async #rawBudget(): Promise<number> {
    const { config, runtime } = this.#options;
    const { rawBudget } = config.dedup;
    if (rawBudget.kind === 'bytes') return rawBudget.bytes;
    const disk = await runtime.files.space(config.data);
    return rawBudget.ratio * resolveQuota(config.quota, disk, this.#used ?? 0);
  }
}
