// The store of blobs over two: whole blobs on the disk, and layers that are made again from recipes and
// files. A layer may be in both, and in memory too: the whole copy is read first, then the memory.

import type { Core } from 'mica-core/core';
import type { Log } from '../log.ts';
import { type Digest, digestAlgorithm, digestHex } from '../oci/digest.ts';
import type { Hashing } from '../runtime/runtime.ts';
import type { BlobEntry, BlobSource, BlobStore, PartialBlob } from '../store/blob-store.ts';
import { ShortBlobError } from '../store/blob-store.ts';
import { MemorySource } from '../store/memory-source.ts';
import type { FileIndex, RecipeRecord } from './file-index.ts';
import { hashRestoration } from './hash-restoration.ts';
import { LayerShares } from './layer-shares.ts';
import { NotifyingPartial } from './notifying-partial.ts';
import type { RecipeStore } from './recipe-store.ts';
import { isDamage, type Restorations } from './restorations.ts';

/** Layers in memory, whose bytes were found right. */
export interface MemoryCopies {
  get(digest: Digest): Uint8Array | undefined;
  delete(digest: Digest): void;
}

export interface TieredBlobStoreOptions {
  readonly whole: BlobStore;
  readonly index: FileIndex;
  readonly recipes: RecipeStore;
  readonly hashing: Pick<Hashing, 'hash'>;
  readonly log: Log;
  /** What makes layers again; absent when the core could not be loaded. Then recipes are as good as none. */
  readonly restoring?: { readonly core: Core; readonly restorations: Restorations } | undefined;
  /** Layers that were made ahead. */
  readonly memory?: MemoryCopies | undefined;
  /** Whether the layer is being taken apart. */
  isIngesting(digest: Digest): boolean;
  /** A blob was committed whole. */
  onStored(digest: Digest, size: number): void;
}

export class TieredBlobStore implements BlobStore {
  readonly #options: TieredBlobStoreOptions;
  readonly #whole: BlobStore;

  constructor(options: TieredBlobStoreOptions) {
    this.#options = options;
    this.#whole = options.whole;
  }

  async stat(digest: Digest): Promise<number | undefined> {
    const whole = await this.#whole.stat(digest);
    if (whole !== undefined || this.#options.restoring === undefined) return whole;
    return (await this.#recipe(digest))?.size;
  }

  async open(digest: Digest): Promise<BlobSource | undefined> {
    const whole = await this.#whole.open(digest);
    if (whole !== undefined) return whole;
    const { memory, restoring } = this.#options;
    const bytes = memory?.get(digest);
    return bytes === undefined
      ? await restoring?.restorations.open(digest)
      : new MemorySource(bytes);
  }

  async read(digest: Digest): Promise<Uint8Array | undefined> {
    const whole = (await this.#whole.read(digest)) ?? this.#options.memory?.get(digest);
    if (whole !== undefined) return whole;
    const source = await this.#options.restoring?.restorations.open(digest);
    if (source === undefined) return undefined;
    try {
      return await this.#readChecked(digest, source);
    } catch (error) {
      // It was taken out of the store when that is what its error means.
      if (error instanceof ShortBlobError) return undefined;
      throw error;
    } finally {
      source.close();
    }
  }

  put(digest: Digest, bytes: Uint8Array): Promise<void> {
    return this.#whole.put(digest, bytes);
  }

  async begin(digest: Digest): Promise<PartialBlob> {
    const partial = await this.#whole.begin(digest);
    return new NotifyingPartial(partial, (size) => this.#options.onStored(digest, size));
  }

  /** Each blob once. What it takes on the disk is, for layers with a recipe, their share of the packs. */
  async *list(): AsyncGenerator<BlobEntry> {
    const { index } = this.#options;
    const shares = new LayerShares(await index.totals());
    const listed = new Set<Digest>();
    for await (const entry of this.#whole.list()) {
      listed.add(entry.digest);
      const record = await this.#recipe(entry.digest);
      if (record === undefined) yield entry;
      else yield { ...entry, stored: entry.size + shares.of(record) };
    }
    for await (const layer of index.listLayers()) {
      if (layer.kind !== 'recipe' || listed.has(layer.digest)) continue;
      const { digest, size, storedMs: modifiedMs } = layer;
      yield { digest, size, modifiedMs, stored: shares.of(layer) };
    }
  }

  partials(): AsyncIterable<BlobEntry> {
    return this.#whole.partials();
  }

  async remove(digest: Digest): Promise<boolean> {
    const hadRecord = await this.#removeRecord(digest);
    const wasWhole = await this.#whole.remove(digest);
    return hadRecord || wasWhole;
  }

  removePartial(digest: Digest): Promise<boolean> {
    return this.#whole.removePartial(digest);
  }

  /** The damaged one is what was read: the whole copy, or where there is none the recipe. */
  async quarantine(digest: Digest): Promise<void> {
    if ((await this.#whole.stat(digest)) === undefined) await this.removeRecipe(digest);
    else await this.#whole.quarantine(digest);
  }

  removeQuarantined(beforeMs: number): Promise<number> {
    return this.#whole.removeQuarantined(beforeMs);
  }

  async verify(digest: Digest): Promise<'whole' | 'damaged' | 'absent'> {
    const verdict = await this.#whole.verify(digest);
    return verdict === 'absent' ? await this.verifyRecipe(digest) : verdict;
  }

  /** Makes a layer again and compares its digest. Rejects when that cannot be done now. */
  async verifyRecipe(digest: Digest): Promise<'whole' | 'damaged' | 'absent'> {
    if ((await this.#recipe(digest)) === undefined) return 'absent';
    const { restoring } = this.#options;
    if (restoring === undefined) throw new Error(`${digest} cannot be made without the core`);
    const { core, restorations } = restoring;
    try {
      const restoration = await restorations.openAlone(digest);
      const found = await hashRestoration(core, restoration, digestAlgorithm(digest));
      return found === digest ? 'whole' : 'damaged';
    } catch (error) {
      if (isDamage(error)) return 'damaged';
      if ((await this.#recipe(digest)) === undefined) return 'absent';
      throw error;
    }
  }

  /** Takes a layer's recipe out of the store; a whole copy stays. */
  async removeRecipe(digest: Digest): Promise<boolean> {
    const { index, recipes, restoring, memory } = this.#options;
    memory?.delete(digest);
    const wasThere = await index.removeLayer(digest);
    await recipes.remove(digest);
    await restoring?.restorations.forget(digest);
    return wasThere;
  }

  isBusy(digest: Digest): boolean {
    const { restoring, isIngesting } = this.#options;
    const isReading = restoring?.restorations.isReading(digest) === true;
    return isReading || this.#whole.isBusy(digest) || isIngesting(digest);
  }

  async close(): Promise<void> {
    await this.#options.restoring?.restorations.close();
    await this.#whole.close();
  }

  async #recipe(digest: Digest): Promise<RecipeRecord | undefined> {
    const record = await this.#options.index.getLayer(digest);
    return record?.kind === 'recipe' ? record : undefined;
  }

  async #readChecked(digest: Digest, source: BlobSource): Promise<Uint8Array | undefined> {
    const bytes = new Uint8Array(source.size);
    for (let position = 0; position < bytes.length; ) {
      position += await source.read(bytes.subarray(position), position);
    }
    const hex = await this.#options.hashing.hash(digestAlgorithm(digest), bytes);
    if (hex === digestHex(digest)) return bytes;
    await this.removeRecipe(digest);
    return undefined;
  }

  /** Index first, then the recipe. On a disk without a free byte only whole copies can go. */
  async #removeRecord(digest: Digest): Promise<boolean> {
    const { index, log } = this.#options;
    try {
      await index.dequeue(digest);
      return await this.removeRecipe(digest);
    } catch (error) {
      log.warn({ err: error, digest }, 'a layer could not be taken out of the index');
      return false;
    }
  }
}
