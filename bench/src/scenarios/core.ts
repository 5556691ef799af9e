// The core by itself: whether layers come back to the bit, what is kept of them beside their files, how
// fast they are taken apart and made again, how soon the first bytes come, and what memory it takes.
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Core } from 'mica-core/core';
import { installStreamPrograms } from 'mica-core/streams/install';
import type { Stream } from 'mica-core/streams/streams';
import { type CoreResults, judgeCore } from '../core/aims.ts';
import {
  findCompressors,
  makeAll,
  makeCorpus,
  makeLayers,
  peerCompressors,
  speedCompressors,
  speedLayers,
} from '../core/corpus.ts';
import { type Cell, checkExactness } from '../core/exactness.ts';
import { measureLatency } from '../core/latency.ts';
import { loadNativeCore } from '../core/load-native-core.ts';
import { makeLargeStream, measureMemory } from '../core/memory-growth.ts';
import { buildPreflate } from '../core/preflate.ts';
import { measureSpeed, prepareStream, type SpeedStream } from '../core/speed.ts';
import {
  tabulateExactness,
  tabulateLatency,
  tabulateMemory,
  tabulateSizes,
  tabulateSpeed,
} from '../core/tables.ts';
import type { Bench, Outcome } from '../lib/bench.ts';

export interface CoreOptions {
  readonly rounds: number;
  /** Samples of 4 MB in place of whole layers. */
  readonly isSmall: boolean;
  /** All layers by all compressors. */
  readonly isMatrix: boolean;
}

export async function runCore(bench: Bench, options: CoreOptions): Promise<Outcome> {
  const { isSmall, isMatrix } = options;
  const size = isSmall ? 'small' : 'full';
  bench.say('looking for compressors');
  for (const problem of await installStreamPrograms()) {
    bench.say(`not installed: ${problem}`);
  }
  const core = await loadNativeCore();
  const folder = join(bench.folder, 'layers');
  mkdirSync(folder);
  const cells = await checkExactness(core, await makeCorpus({ size, isMatrix }), folder);
  const layers = await makeLayers(speedLayers, size);
  const streams = await makeAll(layers, findCompressors(Object.values(speedCompressors)));
  const measured = await measureStreams(bench, core, streams, options, folder);
  const results: CoreResults = { ...measured, cells };
  return {
    results: { ...measured, cells: cells.map(describeCell) },
    tables: [
      tabulateExactness(cells),
      tabulateSizes(cells),
      tabulateSpeed(measured.speed),
      tabulateLatency(measured.latency),
      tabulateMemory(measured.memory),
    ],
    aims: judgeCore(results),
    wrong: [...cells.flatMap(describeProblem), ...measured.wrong],
  };
}

/** All that takes time and memory, with streams that are taken apart once before. */
async function measureStreams(
  bench: Bench,
  core: Core,
  streams: readonly Stream[],
  { rounds }: CoreOptions,
  folder: string,
): Promise<Omit<CoreResults, 'cells'> & { readonly wrong: readonly string[] }> {
  bench.say('preparing');
  const layers = [...new Set(streams.map(({ layer }) => layer))];
  const peers = await makeAll(layers, findCompressors(peerCompressors));
  const preflate = await buildPreflate();
  const prepared: SpeedStream[] = [];
  for (const stream of streams) {
    prepared.push(await prepareStream(core, stream, folder));
  }
  const speed = await measureSpeed(bench, { streams: prepared, peers, preflate, rounds });
  const wrong = [...speed.wrong];
  const latency: CoreResults['latency'][number][] = [];
  const memory: CoreResults['memory'][number][] = [];
  for (const one of prepared) {
    bench.say(`first bytes: ${one.stream.layer.name}, ${one.stream.compressor.name}`);
    const { result, wrong: problems } = await measureLatency(bench, one, rounds);
    latency.push(result);
    wrong.push(...problems);
  }
  for (const one of await listMemoryStreams(bench, core, prepared, folder)) {
    bench.say(`memory: tar of ${one.stream.layer.length} bytes`);
    const { results, wrong: problems } = await measureMemory(bench, one);
    memory.push(...results);
    wrong.push(...problems);
  }
  rmSync(folder, { recursive: true });
  return { speed: speed.results, latency, memory, wrong };
}

/** The Debian root as Docker compresses it, and several of it in one. */
async function listMemoryStreams(
  bench: Bench,
  core: Core,
  prepared: readonly SpeedStream[],
  folder: string,
): Promise<readonly SpeedStream[]> {
  const one = prepared.find(
    ({ stream }) =>
      stream.layer.name === 'debian' && stream.compressor.name === speedCompressors.go,
  );
  if (one === undefined) {
    return [];
  }
  bench.say('making a large layer');
  const { layer, compressor } = one.stream;
  const large = await makeLargeStream(layer, compressor);
  const largeFolder = join(folder, 'large');
  mkdirSync(largeFolder);
  return [one, await prepareStream(core, large, largeFolder)];
}

function describeCell({ stream, outcome, problem, ingested }: Cell): unknown {
  const { layer, compressor, length } = stream;
  const names = { layer: layer.name, layerSize: layer.size, compressor: compressor.name };
  return { ...names, size: length, tarSize: layer.length, outcome, problem, ingested };
}

function describeProblem({ stream, problem }: Cell): readonly string[] {
  const { layer, compressor } = stream;
  const where = `${layer.name} ${layer.size}, ${compressor.name}`;
  return problem === undefined ? [] : [`mica: ${where}: ${problem}`];
}
