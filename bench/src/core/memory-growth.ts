// What memory the core needs beside what its process has anyway, with layers of one size and of
// several times that size.
import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CACHE_FOLDER, hashFile, makeOnce } from 'mica-core/streams/cache';
import type { Compressor } from 'mica-core/streams/compressor';
import type { Layer } from 'mica-core/streams/layer';
import { runProgram } from 'mica-core/streams/program';
import { makeStream, type Stream } from 'mica-core/streams/streams';
import type { Bench } from '../lib/bench.ts';
import type { IngestJob, IngestJobResult } from './jobs/ingest.ts';
import type { RestoreJob, RestoreJobResult } from './jobs/restore.ts';
import { runJob } from './run-job.ts';
import type { SpeedStream } from './speed.ts';

export interface MemoryResult {
  readonly layer: string;
  readonly compressor: string;
  /** Bytes. */
  readonly tarSize: number;
  readonly work: 'ingest' | 'restore';
  readonly workers: number;
  /** Bytes. */
  readonly growth: number;
}

/** Layers in the large one: a gigabyte with a full one. */
export const layerCopies = 5;

const workerCounts = [1, 2];

/** A stream of a tar that has all of the layer's entries several times. */
export async function makeLargeStream(layer: Layer, compressor: Compressor): Promise<Stream> {
  const name = `${layer.name}-${layer.size}-${layerCopies}-times-${layer.digest.slice(0, 12)}.tar`;
  const file = await makeOnce(join(CACHE_FOLDER, 'layers', name), async (part) => {
    await runProgram(['cp', layer.file, part]);
    for (let copy = 1; copy < layerCopies; copy += 1) {
      await runProgram(['tar', '--concatenate', `--file=${part}`, layer.file]);
    }
  });
  const { size: length } = await stat(file);
  return await makeStream({ ...layer, file, length, digest: await hashFile(file) }, compressor);
}

export async function measureMemory(
  bench: Bench,
  one: SpeedStream,
): Promise<{ readonly results: readonly MemoryResult[]; readonly wrong: readonly string[] }> {
  const { stream, kept, digest } = one;
  const recipe = join(bench.folder, 'recipe');
  const results: MemoryResult[] = [];
  const wrong: string[] = [];
  const add = (
    work: MemoryResult['work'],
    workers: number,
    result: { readonly memoryGrowth: number; readonly digest: string },
  ): void => {
    const { layer, compressor } = stream;
    const growth = result.memoryGrowth;
    const base = { layer: layer.name, compressor: compressor.name, tarSize: layer.length };
    results.push({ ...base, work, workers, growth });
    if (result.digest !== digest) {
      wrong.push(
        `mica: ${layer.name}, ${compressor.name}: ${work}: ${result.digest}, not ${digest}`,
      );
    }
  };
  for (const workers of workerCounts) {
    const ingest: IngestJob = { layer: stream.file, recipe, workers };
    const { size } = await stat(stream.file);
    const restore: RestoreJob = { kept, size, workers, hash: 'meanwhile' };
    const { cleanup } = bench;
    add('ingest', workers, await runJob<IngestJob, IngestJobResult>(cleanup, 'ingest', ingest));
    add(
      'restore',
      workers,
      await runJob<RestoreJob, RestoreJobResult>(cleanup, 'restore', restore),
    );
  }
  await rm(recipe);
  return { results, wrong };
}
