// How fast layers are taken apart and made again, beside compressors and others that work on the same
// layers, in turn. The best of the rounds counts: other work on the machine only ever slows.
import { mkdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Core } from 'mica-core/core';
import { hashFile } from 'mica-core/streams/cache';
import type { Compressor } from 'mica-core/streams/compressor';
import type { Layer } from 'mica-core/streams/layer';
import type { Stream } from 'mica-core/streams/streams';
import type { Bench } from '../lib/bench.ts';
import { readEndedChildrenSeconds } from '../lib/processor-time.ts';
import { startProgress } from '../lib/progress.ts';
import { rotate } from '../lib/statistics.ts';
import type { Times } from '../lib/stopwatch.ts';
import { isByModel } from './exactness.ts';
import type { InflateJob, InflateJobResult } from './jobs/inflate.ts';
import type { IngestJob, IngestJobResult } from './jobs/ingest.ts';
import type { RestoreJob, RestoreJobResult } from './jobs/restore.ts';
import { type KeptLayer, keepLayer } from './kept-layer.ts';
import { type PreflateResult, runPreflate } from './preflate.ts';
import { runJob } from './run-job.ts';

/** A stream that is taken apart already, for all that restores it. */
export interface SpeedStream {
  readonly stream: Stream;
  readonly kept: KeptLayer;
  readonly digest: string;
  /** Whether a model makes it; else its segments are copied. */
  readonly isByModel: boolean;
}

export type Work =
  | 'ingest'
  | 'restore'
  | 'restore by 2 workers'
  | 'compress'
  | 'analyze'
  | 'recreate'
  | 'inflate + SHA-256';

/** The best of all rounds. */
export interface SpeedResult {
  readonly layer: string;
  /** Bytes. */
  readonly tarSize: number;
  /** `mica`, a compressor's name, `preflate-rs` or `node:zlib`. */
  readonly who: string;
  /** Name of the compressor that made the stream. */
  readonly compressor: string;
  readonly work: Work;
  /** False when Mica only copies the stream's segments; always true for others. */
  readonly isByModel: boolean;
  /** Bytes of tar. */
  readonly bytesPerSecond: number;
  /** Bytes of tar. */
  readonly bytesPerProcessorSecond: number;
}

interface Measured {
  readonly work: Work;
  readonly times: Times;
}

interface Contestant {
  readonly layer: Layer;
  readonly who: string;
  readonly compressor: string;
  readonly isByModel: boolean;
  readonly run: (wrong: string[]) => Promise<readonly Measured[]>;
}

export interface SpeedOptions {
  readonly streams: readonly SpeedStream[];
  /** Streams of the compressors that run beside, to compare with what they write now. */
  readonly peers: readonly Stream[];
  /** Path of preflate-rs's program. */
  readonly preflate?: string | undefined;
  readonly rounds: number;
}

/** Takes a stream apart, into `folder`. */
export async function prepareStream(
  core: Core,
  stream: Stream,
  folder: string,
): Promise<SpeedStream> {
  const own = join(folder, `${stream.layer.name}-${stream.compressor.name}`);
  await mkdir(own);
  const { kept, ingested } = await keepLayer(core, stream.file, own);
  const digest = `sha256:${await hashFile(stream.file)}`;
  return { stream, kept, digest, isByModel: isByModel(ingested) };
}

export async function measureSpeed(
  bench: Bench,
  options: SpeedOptions,
): Promise<{ readonly results: readonly SpeedResult[]; readonly wrong: readonly string[] }> {
  const contestants = await listContestants(bench, options);
  const best = new Map<string, SpeedResult>();
  const wrong: string[] = [];
  const progress = startProgress('measuring', contestants.length * options.rounds);
  for (let round = 0; round < options.rounds; round += 1) {
    for (const contestant of rotate(contestants, round)) {
      const problems: string[] = [];
      for (const measured of await contestant.run(problems)) {
        keepBest(best, contestant, measured);
      }
      const { layer, who, compressor } = contestant;
      wrong.push(...problems.map((problem) => `${who}: ${layer.name}, ${compressor}: ${problem}`));
      progress.step(`${layer.name}, ${compressor}: ${who}`);
    }
  }
  progress.end();
  return { results: [...best.values()], wrong };
}

function keepBest(
  best: Map<string, SpeedResult>,
  { layer, who, compressor, isByModel: isModelled }: Contestant,
  { work, times }: Measured,
): void {
  const key = [layer.name, who, compressor, work].join();
  const before = best.get(key);
  const tarSize = layer.length;
  best.set(key, {
    ...{ layer: layer.name, tarSize, who, compressor, work, isByModel: isModelled },
    bytesPerSecond: Math.max(before?.bytesPerSecond ?? 0, tarSize / times.wallSeconds),
    bytesPerProcessorSecond: Math.max(
      before?.bytesPerProcessorSecond ?? 0,
      tarSize / times.processorSeconds,
    ),
  });
}

async function listContestants(
  bench: Bench,
  { streams, peers, preflate }: SpeedOptions,
): Promise<readonly Contestant[]> {
  const contestants = streams.flatMap((one) => [
    ...micaContestants(bench, one),
    inflateContestant(bench, one),
  ]);
  for (const peer of peers) {
    contestants.push(compressContestant(bench, peer, await hashFile(peer.file)));
  }
  if (preflate !== undefined) {
    const known = streams.filter(({ stream }) => stream.compressor.family === 'zlib');
    contestants.push(...known.map(({ stream }) => preflateContestant(bench, preflate, stream)));
  }
  return contestants;
}

function micaContestants(bench: Bench, one: SpeedStream): readonly Contestant[] {
  const { stream, kept, digest } = one;
  const { layer } = stream;
  const base = {
    ...{ layer, who: 'mica', compressor: stream.compressor.name },
    isByModel: one.isByModel,
  };
  const recipe = join(bench.folder, 'recipe');
  const restore = (work: Work, workers: number): Contestant => ({
    ...base,
    run: async (wrong) => {
      const { size } = await stat(stream.file);
      const job: RestoreJob = { kept, size, workers, hash: 'afterwards' };
      const result = await runJob<RestoreJob, RestoreJobResult>(bench.cleanup, 'restore', job);
      compare(wrong, 'restored layer', result.digest, digest);
      return [{ work, times: result.times }];
    },
  });
  return [
    {
      ...base,
      run: async (wrong) => {
        const job = { layer: stream.file, recipe, workers: 1 };
        const result = await runJob<IngestJob, IngestJobResult>(bench.cleanup, 'ingest', job);
        compare(wrong, 'digest', result.digest, digest);
        compare(wrong, 'DiffID', result.diffId, `sha256:${layer.digest}`);
        // The kept one has been restored from.
        compare(wrong, 'recipe', await hashFile(recipe), await hashFile(kept.recipe));
        return [{ work: 'ingest', times: result.times }];
      },
    },
    restore('restore', 1),
    restore('restore by 2 workers', 2),
  ];
}

function inflateContestant(bench: Bench, { stream, digest }: SpeedStream): Contestant {
  const { layer, compressor, file } = stream;
  return {
    layer,
    who: 'node:zlib',
    compressor: compressor.name,
    isByModel: true,
    run: async (wrong) => {
      const job: InflateJob = { layer: file };
      const result = await runJob<InflateJob, InflateJobResult>(bench.cleanup, 'inflate', job);
      compare(wrong, 'digest', result.digest, digest);
      compare(wrong, 'DiffID', result.diffId, `sha256:${layer.digest}`);
      return [{ work: 'inflate + SHA-256', times: result.times }];
    },
  };
}

function compressContestant(bench: Bench, stream: Stream, digest: string): Contestant {
  const { layer, compressor } = stream;
  const target = join(bench.folder, 'compressed');
  return {
    layer,
    who: compressor.name,
    compressor: compressor.name,
    isByModel: true,
    run: async (wrong) => {
      const times = await timeCompressor(compressor, layer, target);
      compare(wrong, 'stream', await hashFile(target), digest);
      await rm(target);
      return [{ work: 'compress', times }];
    },
  };
}

async function timeCompressor(
  compressor: Compressor,
  layer: Layer,
  target: string,
): Promise<Times> {
  const processor = readEndedChildrenSeconds();
  const wall = performance.now();
  await compressor.compress(layer.file, target);
  return {
    wallSeconds: (performance.now() - wall) / 1e3,
    processorSeconds: readEndedChildrenSeconds() - processor,
  };
}

function preflateContestant(bench: Bench, program: string, stream: Stream): Contestant {
  const { layer, compressor, file } = stream;
  return {
    layer,
    who: 'preflate-rs',
    compressor: compressor.name,
    isByModel: true,
    run: async (wrong) => {
      let result: PreflateResult;
      try {
        result = await runPreflate(program, file);
      } catch (error) {
        // It cannot do every stream: that is a figure that is missing, not a wrong answer.
        bench.say(`preflate-rs: ${layer.name}, ${compressor.name}: ${String(error)}`);
        return [];
      }
      compare(wrong, 'size of the tar', `${result.plain}`, `${layer.length}`);
      compare(wrong, 'exactness', `${result.isExact}`, 'true');
      return [
        { work: 'analyze', times: result.analyze },
        { work: 'recreate', times: result.recreate },
      ];
    },
  };
}

function compare(wrong: string[], what: string, got: string, expected: string): void {
  if (got !== expected) {
    wrong.push(`${what} ${got}, not ${expected}`);
  }
}
