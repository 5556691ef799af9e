// What the core is to reach, and what it did. Where an aim is for several layers or compressors, the
// one that is furthest from it counts.
import type { Aim } from '../lib/table.ts';
import { commonCompressors, speedCompressors, speedLayers } from './corpus.ts';
import { type Cell, listMeasured } from './exactness.ts';
import type { LatencyResult } from './latency.ts';
import type { MemoryResult } from './memory-growth.ts';
import type { SpeedResult, Work } from './speed.ts';

const million = 1e6;
const mebibyte = 2 ** 20;

export interface CoreResults {
  readonly cells: readonly Cell[];
  readonly speed: readonly SpeedResult[];
  readonly latency: readonly LatencyResult[];
  readonly memory: readonly MemoryResult[];
}

export function judgeCore(results: CoreResults): readonly Aim[] {
  return [
    ...judgeSizes(results.cells),
    ...judgeSpeed(results.speed),
    ...judgeLatency(results.latency),
    ...judgeMemory(results.memory),
  ];
}

/** The largest share, with what it is of. */
function largestShare(
  cells: readonly Cell[],
  sizeOf: (ingested: NonNullable<Cell['ingested']>) => number,
): { readonly value: number; readonly of: string } {
  let largest = { value: Number.NaN, of: 'none' };
  for (const { stream, ingested } of cells) {
    const value = ingested === undefined ? Number.NaN : sizeOf(ingested) / stream.length;
    if (!(value <= largest.value)) {
      largest = { value, of: `${stream.layer.name} ${stream.compressor.name}` };
    }
  }
  return largest;
}

function judgeSizes(cells: readonly Cell[]): readonly Aim[] {
  const tried = cells.filter(({ outcome }) => outcome !== 'refused');
  const exact = tried.filter(({ outcome }) => outcome === 'exact').length;
  const common = listMeasured(cells).filter(
    ({ stream: { layer, compressor } }) =>
      commonCompressors.includes(compressor.name) && speedLayers.includes(layer.name),
  );
  const root = common.filter(({ stream }) => stream.layer.name === 'debian');
  // A segment that is kept as it is, is all correction.
  const corrections = largestShare(
    common,
    ({ sectionSizes }) => sectionSizes.corrections + sectionSizes.raw,
  );
  const blocks = largestShare(common, ({ sectionSizes }) => sectionSizes.blocks);
  const recipe = largestShare(root, ({ recipeSize }) => recipeSize);
  const most = (name: string, limit: number, value: number): Aim => ({
    ...{ name, bound: 'at most', limit, value, unit: '%' },
  });
  const isExact: Aim = {
    name: `exact restores of ${tried.length}`,
    ...{ bound: 'at least', limit: 1, value: exact / tried.length, unit: '%' },
  };
  return [
    isExact,
    most(`corrections ÷ layer, common compressors (${corrections.of})`, 0.0002, corrections.value),
    most(`block headers ÷ layer, common compressors (${blocks.of})`, 0.006, blocks.value),
    most(`recipe ÷ layer, Debian root (${recipe.of})`, 0.015, recipe.value),
  ];
}

const { go, zlib, klauspost, newGo, pgzip } = speedCompressors;

function judgeSpeed(results: readonly SpeedResult[]): readonly Aim[] {
  const ofMica = (compressor: string, work: Work): readonly SpeedResult[] =>
    results.filter(
      (one) => one.who === 'mica' && one.compressor === compressor && one.work === work,
    );
  const atLeast = (compressor: string, work: Work, megabytes: number): Aim => ({
    name: `${work}, ${compressor}: MB of tar a CPU second`,
    bound: 'at least',
    limit: megabytes * million,
    value: least(
      ofMica(compressor, work).map((one) =>
        // Copies are no measure of the model.
        one.isByModel ? one.bytesPerProcessorSecond : Number.NaN,
      ),
    ),
    unit: 'MB/s',
  });
  const one = ofMica(go, 'restore');
  const scaling = ofMica(go, 'restore by 2 workers').map(
    ({ layer, bytesPerSecond }) =>
      bytesPerSecond / (one.find((other) => other.layer === layer)?.bytesPerSecond ?? Number.NaN),
  );
  return [
    atLeast(go, 'restore', 70),
    {
      name: `restore, ${go}: rate by 2 workers ÷ by 1`,
      ...{ bound: 'at least', limit: 1.8, value: least(scaling), unit: '×' },
    },
    atLeast(zlib, 'restore', 45),
    ...[klauspost, newGo, pgzip].map((compressor) => atLeast(compressor, 'restore', 100)),
    atLeast(go, 'ingest', 30),
    ...[klauspost, newGo, pgzip].map((compressor) => atLeast(compressor, 'ingest', 45)),
  ];
}

/** NaN without values. */
function least(values: readonly number[]): number {
  return values.length === 0 ? Number.NaN : Math.min(...values);
}

function judgeLatency(results: readonly LatencyResult[]): readonly Aim[] {
  const largest = results
    .filter(({ compressor }) => compressor === go)
    .reduce<LatencyResult | undefined>(
      (found, one) => (found === undefined || one.size > found.size ? one : found),
      undefined,
    );
  const atMost = (name: string, limit: number, value: number | undefined): Aim => ({
    ...{ name: `${name}, ${go} of the largest layer`, bound: 'at most', limit, unit: 'ms' },
    value: value ?? Number.NaN,
  });
  return [
    atMost('first byte, recipe and files not cached', 50, largest?.coldFirstByteMs),
    atMost('range of 1 MiB', 60, largest?.rangeMs),
  ];
}

function judgeMemory(results: readonly MemoryResult[]): readonly Aim[] {
  const overhead = results.map(({ growth, workers }) => growth - 8 * mebibyte * workers);
  return [
    {
      name: 'memory beyond 8 MiB a worker, ingest and restore',
      bound: 'at most',
      limit: 64 * mebibyte,
      value: overhead.length === 0 ? Number.NaN : Math.max(...overhead),
      unit: 'MB',
    },
  ];
}
