// The registry tier put together over a data folder: whole blobs, recipes and packs as one store.

import type { Log } from '../log.ts';
import type { Digest } from '../oci/digest.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { BlobPaths } from '../store/blob-paths.ts';
import type { DataFolder } from '../store/data-folder.ts';
import { collectLayers } from './collect-layers.ts';
import { type CollectedPacks, collectPacks } from './collect-packs.ts';
import { type CompactPacksOptions, compactPacks } from './compact-packs.ts';
import type { TierCore } from './load-tier-core.ts';
import { openPackStore, type PackStore } from './pack-store.ts';
import { openRecipeStore, type RecipeStore } from './recipe-store.ts';
import { Restorations } from './restorations.ts';
import type { RunCopy } from './run-copy.ts';
import type { TierObserver } from './tier-observer.ts';
import { type MemoryCopies, TieredBlobStore } from './tiered-blob-store.ts';

export interface TierOptions {
  readonly folder: DataFolder;
  readonly runtime: Runtime;
  readonly log: Log;
  /** Absent when it could not be loaded, or is not needed: then layers that are only recipes are not read. */
  readonly core?: TierCore | undefined;
  readonly observer: TierObserver;
  /** Layers that were made ahead. */
  readonly memory?: MemoryCopies | undefined;
  isIngesting?(digest: Digest): boolean;
  onStored?(digest: Digest, size: number): void;
  /** Takes what is made for clients, too; undefined where no copy is wanted. */
  copyRun?(digest: Digest): RunCopy | undefined;
}

/** What is stored as one, and its parts. */
export interface Tier {
  readonly folder: DataFolder;
  readonly core: TierCore | undefined;
  readonly store: TieredBlobStore;
  readonly packs: PackStore;
  readonly recipes: RecipeStore;
  readonly restorations: Restorations | undefined;
  /** Takes away what crashes and removed layers left, and packs that hold little of use. */
  collect(signal?: AbortSignal): Promise<CollectedTier>;
  /** Removes packs of which nobody needs anything, as after an eviction. */
  reclaim(): Promise<CollectedPacks>;
  /** Takes what cannot be made again out of the store, and says so. */
  dropLayer(digest: Digest, error: unknown): Promise<void>;
  /** Ends what is being made again. The data folder stays open. */
  close(): Promise<void>;
}

export interface CollectedTier {
  readonly recipes: number;
  readonly packs: number;
  readonly bytes: number;
}

export async function openTier(options: TierOptions): Promise<Tier> {
  const { folder, runtime, core } = options;
  const packs = await openPackStore(folder.path, runtime.files);
  const recipes = await openRecipeStore(folder.path, runtime);
  const drop: DropLayer = (digest, error) => dropLayer(options, store, digest, error);
  const restorations = openRestorations(options, { packs, recipes }, drop);
  const store: TieredBlobStore = new TieredBlobStore({
    whole: folder.blobs,
    index: folder.files,
    recipes,
    hashing: runtime.hashing,
    log: options.log,
    memory: options.memory,
    restoring: core && restorations && { core: core.restore, restorations },
    isIngesting: (digest) => options.isIngesting?.(digest) === true,
    onStored: (digest, size) => options.onStored?.(digest, size),
  });
  const parts = { whole: folder.blobs, index: folder.files, packs, recipes, clock: runtime.clock };
  return {
    ...{ folder, core, store, packs, recipes, restorations, dropLayer: drop },
    collect: async (signal) => {
      const layers = await collectLayers(parts);
      if (restorations !== undefined)
        await compact(options, { packs, recipes, restorations, signal }, drop);
      return sum(layers, await collectPacks(parts));
    },
    reclaim: () => collectPacks(parts),
    close: async () => await restorations?.close(),
  };
}

type DropLayer = (digest: Digest, error: unknown) => Promise<void>;

/** What ends it is the machine's, such as a full disk: what it would give back stays taken until the next time. */
async function compact(
  { folder, runtime, core, log }: TierOptions,
  parts: Pick<CompactPacksOptions, 'packs' | 'recipes' | 'restorations' | 'signal'>,
  onDamaged: DropLayer,
): Promise<void> {
  if (core === undefined) return;
  const paths = new BlobPaths(folder.path);
  const { files } = runtime;
  try {
    const copied = await compactPacks({
      ...{ core: core.ingest, index: folder.files, ...parts, files, paths, onDamaged },
    });
    if (copied > 0) log.info({ files: copied }, 'packs were compacted');
  } catch (error) {
    if (parts.signal?.aborted === true) return;
    log.error(
      { err: error },
      'packs could not be compacted; nothing is lost, and the next collection tries again',
    );
  }
}

function openRestorations(
  { folder, runtime, core, observer, copyRun }: TierOptions,
  { packs, recipes }: Pick<Tier, 'packs' | 'recipes'>,
  onDamaged: DropLayer,
): Restorations | undefined {
  if (core === undefined) return undefined;
  return new Restorations({
    ...{ core: core.restore, index: folder.files, packs, recipes, clock: runtime.clock },
    onRead: (bytes, durationMs) => observer.restored(bytes, durationMs),
    ...{ onDamaged, ...(copyRun && { copyRun }) },
  });
}

/** The next request fetches the layer from the upstream; a whole copy that is there is taken apart anew. */
async function dropLayer(
  { folder, runtime, log, observer }: TierOptions,
  store: TieredBlobStore,
  digest: Digest,
  error: unknown,
): Promise<void> {
  log.error({ err: error, digest }, 'a layer cannot be made again; it will be fetched');
  observer.damaged();
  try {
    await store.removeRecipe(digest);
    if ((await folder.blobs.stat(digest)) === undefined) return;
    await folder.files.enqueue(digest, runtime.clock.now());
  } catch (cause) {
    log.error({ err: cause, digest }, 'a damaged layer could not be taken out of the index');
  }
}

function sum(layers: CollectedTier, packs: CollectedPacks): CollectedTier {
  return {
    recipes: layers.recipes,
    packs: layers.packs + packs.removed,
    bytes: layers.bytes + packs.bytes,
  };
}
