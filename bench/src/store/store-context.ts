// What all rows of the store's measurements share.
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bench } from '../lib/bench.ts';
import type { Peer } from '../peers/peer.ts';
import { pullImages } from './fill-store.ts';
import type { StoreCorpus } from './store-corpus.ts';
import { type StoreMode, startStore } from './store-server.ts';

export interface StoreContext {
  readonly bench: Bench;
  readonly corpus: StoreCorpus;
  /** Holds all images of the corpus folder. */
  readonly upstream: Peer;
  /** Answers that were wrong, of all rows. */
  readonly wrong: string[];
  /** Layers that were made again, and whose digest was found right. */
  readonly checked: { layers: number };
  /** Folder of a store with recipes of all images and no whole copies; filled when first asked for. */
  readonly getRecipes: () => Promise<string>;
}

/** A folder that a row removes as soon as it is done, since corpora are large. */
export async function makeStoreFolder({ folder }: Bench, name: string): Promise<string> {
  const path = join(folder, name);
  await mkdir(path);
  return path;
}

export async function removeFolder(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true });
}

/** Pulls all images through Mica in the mode, waits until it has taken all apart, and stops it. */
export async function fillStore(
  context: Omit<StoreContext, 'getRecipes'>,
  folder: string,
  mode: StoreMode,
): Promise<void> {
  const { bench, corpus, upstream, wrong } = context;
  bench.say(`filling a store in mode ${mode} with ${corpus.images.length} images`);
  const server = await startStore(bench, { folder, upstream: upstream.url, mode });
  wrong.push(...(await pullImages(bench, server, corpus.folder, corpus.images)).wrong);
  bench.say('waiting until all layers are taken apart');
  await server.settle();
  await server.stop();
}

export function createContext(base: Omit<StoreContext, 'getRecipes'>): StoreContext {
  let made: Promise<string> | undefined;
  const make = async (): Promise<string> => {
    const folder = await makeStoreFolder(base.bench, 'recipes');
    await fillStore(base, folder, 'b0');
    return folder;
  };
  return {
    ...base,
    getRecipes: () => {
      made ??= make();
      return made;
    },
  };
}
