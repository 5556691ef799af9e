// A data folder with packs and recipes, an index of files in memory and the native core, for tests.

import { readFile, writeFile } from 'node:fs/promises';
import type { ExecutionContext } from 'ava';
import type { Core } from 'mica-core/core';
import { loadCore } from 'mica-core/load-core';
import { nodeFiles as coreFiles } from 'mica-core/node-files';
import type { LayerCommit } from '../../src/dedup/file-index.ts';
import { type IngestOutcome, ingestLayer } from '../../src/dedup/ingest-layer.ts';
import { openPackStore, type PackStore } from '../../src/dedup/pack-store.ts';
import { openRecipeStore, type RecipeStore } from '../../src/dedup/recipe-store.ts';
import { Restorations } from '../../src/dedup/restorations.ts';
import type { RunCopy } from '../../src/dedup/run-copy.ts';
import type { RunLimits } from '../../src/dedup/run-limits.ts';
import { TieredBlobStore } from '../../src/dedup/tiered-blob-store.ts';
import type { Digest } from '../../src/oci/digest.ts';
import type { Runtime } from '../../src/runtime/runtime.ts';
import { BlobPaths } from '../../src/store/blob-paths.ts';
import type { BlobSource } from '../../src/store/blob-store.ts';
import { type DiskBlobStore, openDiskBlobStore } from '../../src/store/disk-blob-store.ts';
import { digestBytes, readAll } from '../conformance/blob-store.ts';
import { MemoryFileIndex } from '../doubles/memory-file-index.ts';
import { quietLog } from '../doubles/quiet-log.ts';
import { makeFolder, makeTestRuntime, removeFolder } from '../doubles/test-runtime.ts';

/** One for all tests of a file: each has its own threads. */
export const { core } = await loadCore({ choice: 'native', files: coreFiles });

export interface DedupFolderOptions {
  readonly runtime?: Runtime;
  readonly core?: Core;
  readonly limits?: RunLimits;
  /** Takes what is made for readers, too. */
  copyRun?(digest: Digest): RunCopy | undefined;
}

export interface DedupFolder {
  readonly path: string;
  readonly core: Core;
  readonly runtime: Runtime;
  readonly index: MemoryFileIndex;
  readonly packs: PackStore;
  readonly recipes: RecipeStore;
  readonly whole: DiskBlobStore;
  readonly restorations: Restorations;
  readonly store: TieredBlobStore;
  /** Layers that could not be made any more, and why. */
  readonly damaged: { readonly digest: Digest; readonly error: unknown }[];
  wholePath(digest: Digest): string;
  /** Stores a layer whole. */
  put(layer: Uint8Array): Promise<Digest>;
  ingest(digest: Digest, options?: { core?: Core; signal?: AbortSignal }): Promise<IngestOutcome>;
  /** Stores a layer and keeps nothing but its recipe and files. */
  putRecipe(layer: Uint8Array): Promise<Digest>;
}

/** A layer as it was taken apart into an empty folder. */
interface KeptLayer {
  readonly commit: LayerCommit;
  readonly recipe: Uint8Array;
  readonly pack: Uint8Array;
}

/** Taking a layer apart is slow next to what tests do with it: each is once in each file of tests. */
const keptLayers = new Map<Digest, Promise<KeptLayer>>();

async function takeApart(layer: Uint8Array): Promise<KeptLayer> {
  const path = await makeFolder();
  const folder = await openIn(path, new MemoryFileIndex());
  const { index, recipes, packs } = folder;
  const commits: LayerCommit[] = [];
  const commitLayer = index.commitLayer.bind(index);
  index.commitLayer = (commit) => {
    commits.push(commit);
    return commitLayer(commit);
  };
  const digest = await folder.put(layer);
  const outcome = await folder.ingest(digest);
  const [commit] = commits;
  if (commit === undefined) throw new Error(`not taken apart: ${JSON.stringify(outcome)}`);
  const recipe = await readFile(recipes.path(digest));
  const pack = await readFile(packs.path(commit.appended[0]?.pack ?? 0));
  await folder.store.close();
  await removeFolder(path);
  return { commit, recipe, pack };
}

/** Puts what a layer was taken apart into into a folder without packs. */
async function putKept(
  { commit, recipe, pack }: KeptLayer,
  { index, packs, recipes }: Pick<DedupFolder, 'index' | 'packs' | 'recipes'>,
): Promise<void> {
  const { digest } = commit;
  const { number } = await index.openPack('test');
  await writeFile(await packs.prepare(number, 0), pack);
  const made = recipes.temporary(digest);
  await writeFile(made, recipe);
  await recipes.publish(made, digest);
  const appended = commit.appended.map((files) => ({ ...files, pack: number }));
  await index.commitLayer({ ...commit, appended });
}

export async function openDedupFolder(
  t: ExecutionContext,
  options: DedupFolderOptions = {},
): Promise<DedupFolder> {
  const path = await makeFolder();
  const folder = await openIn(path, new MemoryFileIndex(), options);
  t.teardown(async () => {
    await folder.store.close();
    await removeFolder(path);
  });
  return folder;
}

/** Opens what is in a folder; `index` is what survived. */
export async function openIn(
  path: string,
  index: MemoryFileIndex,
  options: DedupFolderOptions = {},
): Promise<DedupFolder> {
  const runtime = options.runtime ?? makeTestRuntime();
  const used = options.core ?? core;
  const packs = await openPackStore(path, runtime.files);
  const recipes = await openRecipeStore(path, runtime);
  const whole = await openDiskBlobStore({
    folder: path,
    runtime,
    recheckMs: 1e9,
    log: quietLog,
    onDamaged: () => undefined,
  });
  const damaged: { digest: Digest; error: unknown }[] = [];
  const restorations: Restorations = new Restorations({
    ...{ core: used, index, packs, recipes, clock: runtime.clock },
    ...(options.limits === undefined ? {} : { limits: options.limits }),
    copyRun: (digest) => options.copyRun?.(digest),
    onDamaged: async (digest, error) => {
      damaged.push({ digest, error });
      await store.removeRecipe(digest);
    },
  });
  const store: TieredBlobStore = new TieredBlobStore({
    ...{ whole, index, recipes, hashing: runtime.hashing, log: quietLog },
    restoring: { core: used, restorations },
    isIngesting: () => false,
    onStored: () => undefined,
  });
  const paths = new BlobPaths(path);
  const put = async (layer: Uint8Array): Promise<Digest> => {
    const digest = digestBytes(layer);
    await whole.put(digest, layer);
    return digest;
  };
  const ingest: DedupFolder['ingest'] = (digest, { core: other = used, signal } = {}) =>
    ingestLayer(
      { core: other, index, packs, recipes, clock: runtime.clock },
      {
        digest,
        path: paths.blob(digest),
        packOwner: 'test',
        signal: signal ?? new AbortController().signal,
      },
    );
  const putRecipe = async (layer: Uint8Array): Promise<Digest> => {
    const digest = digestBytes(layer);
    if ((await index.totals()).bytes.packs === 0) {
      const kept = keptLayers.get(digest) ?? takeApart(layer);
      keptLayers.set(digest, kept);
      await putKept(await kept, { index, packs, recipes });
      return digest;
    }
    await put(layer);
    const outcome = await ingest(digest);
    if (outcome.kind !== 'recipe') throw new Error(`not taken apart: ${JSON.stringify(outcome)}`);
    await whole.remove(digest);
    return digest;
  };
  return {
    ...{ path, core: used, runtime, index, packs, recipes, whole, restorations, store, damaged },
    wholePath: (digest) => paths.blob(digest),
    ...{ put, ingest, putRecipe },
  };
}

/** A source of a layer, which has to be closed. */
export async function openSource(
  { store }: Pick<DedupFolder, 'store'>,
  digest: Digest,
): Promise<BlobSource> {
  const opened = await store.open(digest);
  if (opened === undefined) throw new Error('the layer cannot be opened');
  return opened;
}

/** Reads so many bytes from a position on; fewer at the end. */
export async function readAt(
  from: BlobSource,
  position: number,
  length: number,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length; ) {
    const count = await from.read(bytes.subarray(done), position + done);
    if (count === 0) return bytes.subarray(0, done);
    done += count;
  }
  return bytes;
}

/** Reads all of a layer as a client does. */
export async function readThrough(folder: DedupFolder, digest: Digest): Promise<Uint8Array> {
  const source = await openSource(folder, digest);
  try {
    return await readAll(source);
  } finally {
    source.close();
  }
}
