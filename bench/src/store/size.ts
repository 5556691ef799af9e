// What a store takes on the disk: of all images together, beside distribution and beside nothing but
// the unique files; and of an image alone.
import { join } from 'node:path';
import { blobFile, registryFolder } from '../corpus/corpus-file.ts';
import { percentile } from '../lib/statistics.ts';
import { findProgram } from '../peers/find-program.ts';
import { measureFolder } from './disk.ts';
import { pullImages } from './fill-store.ts';
import type { UniqueFilesJob, UniqueFilesResult } from './jobs/unique-files.ts';
import { runStoreJob } from './run-store-job.ts';
import { makeStoreFolder, removeFolder, type StoreContext } from './store-context.ts';
import { listLayers, pickFamilies, sumSizes } from './store-corpus.ts';
import { type StoreStats, startStore } from './store-server.ts';

/** A pack's level and bytes of a block: core-rs/doc/pack-format.md. */
const packLevel = 6;
const packBlockSize = 3_145_728;

/** Sizes are bytes. */
export interface SizeResult {
  readonly images: number;
  readonly stats: StoreStats;
  /** Of the layers, as registries have them. */
  readonly compressed: number;
  /** By du(1). */
  readonly stored: number;
  /** By du(1) of distribution's folder; NaN in a run with some of its images. */
  readonly distribution: number;
  /** Absent without the zstd program. */
  readonly unique: UniqueFilesResult | undefined;
}

export async function measureSize(context: StoreContext): Promise<SizeResult> {
  const { corpus } = context;
  const folder = await context.getRecipes();
  const stats = await checkAll(context, folder);
  return {
    images: corpus.images.length,
    stats,
    compressed: sumSizes(corpus.layers),
    stored: await measureFolder(join(folder, 'data')),
    distribution: corpus.isWhole ? await measureFolder(registryFolder(corpus.folder)) : Number.NaN,
    unique: await measureUniqueFiles(context),
  };
}

async function measureUniqueFiles({
  bench,
  corpus,
}: StoreContext): Promise<UniqueFilesResult | undefined> {
  if (findProgram('zstd') === undefined) {
    return undefined;
  }
  bench.say('compressing all unique files by themselves');
  const job: UniqueFilesJob = {
    layers: corpus.layers.map(({ digest }) => blobFile(corpus.folder, digest)),
    temporary: join(bench.folder, 'unique-files'),
    level: packLevel,
    blockSize: packBlockSize,
  };
  return await runStoreJob<UniqueFilesJob, UniqueFilesResult>(bench, 'unique-files', job);
}

/** Nothing answers there: what comes is made of what is stored. */
const noUpstream = 'http://127.0.0.1:9';

/** Makes every layer again and compares its digest. */
async function checkAll(context: StoreContext, folder: string): Promise<StoreStats> {
  const { bench, corpus, wrong, checked } = context;
  bench.say('making every layer again, without an upstream');
  const server = await startStore(bench, { folder, upstream: noUpstream, mode: 'b0' });
  const pulled = await pullImages(bench, server, corpus.folder, corpus.images);
  const stats = await server.readStats();
  await server.stop();
  wrong.push(...pulled.wrong);
  checked.layers += stats.restores;
  if (pulled.layers.length !== corpus.layers.length) {
    wrong.push(`mica: ${pulled.layers.length} layers of ${corpus.layers.length} came`);
  }
  return stats;
}

export interface SingleResult {
  readonly image: string;
  /** Bytes of its layers, compressed. */
  readonly compressed: number;
  /** Bytes, by du(1). */
  readonly stored: number;
  readonly share: number;
}

/** An image of each family, each in a store of its own. */
export async function measureSingles(context: StoreContext): Promise<readonly SingleResult[]> {
  const { bench, corpus, upstream, wrong } = context;
  const results: SingleResult[] = [];
  for (const image of pickFamilies(corpus.images)) {
    const name = `${image.repository}:${image.tag}`;
    bench.say(`storing ${name} alone`);
    const folder = await makeStoreFolder(bench, 'single');
    const server = await startStore(bench, { folder, upstream: upstream.url, mode: 'b0' });
    wrong.push(...(await pullImages(bench, server, corpus.folder, [image])).wrong);
    await server.settle();
    await server.stop();
    const stored = await measureFolder(server.data);
    const compressed = sumSizes(listLayers([image]));
    results.push({ image: name, compressed, stored, share: stored / compressed });
    await removeFolder(folder);
  }
  return results;
}

export function summarizeSingles(results: readonly SingleResult[]): {
  readonly median: number;
  readonly worst: number;
} {
  const shares = results.map(({ share }) => share);
  return { median: percentile(shares, 0.5), worst: percentile(shares, 1) };
}
