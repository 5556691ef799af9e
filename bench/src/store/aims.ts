// What the store is to reach, and what it did.
import type { Aim } from '../lib/table.ts';
import type { DockerPullResult } from './docker-pulls.ts';
import type { HitsResult } from './hits.ts';
import type { IngestResult } from './ingest.ts';
import { diskRatio, type WayResult } from './replay.ts';
import { type RestoreResult, wantedSize } from './restore.ts';
import { type SingleResult, type SizeResult, summarizeSingles } from './size.ts';

const million = 1e6;

export function judgeSize({ stored, distribution, unique }: SizeResult): readonly Aim[] {
  const most = (name: string, limit: number, value: number): Aim => ({
    ...{ name, bound: 'at most', limit, value, unit: '×' },
  });
  return [
    most("size: stored in b0 ÷ distribution's du", 0.4, stored / distribution),
    most(
      'size: stored in b0 ÷ unique files by zstd',
      1.1,
      stored / (unique?.compressed ?? Number.NaN),
    ),
  ];
}

export function judgeSingles(results: readonly SingleResult[]): readonly Aim[] {
  const { median, worst } = summarizeSingles(results);
  const most = (name: string, value: number): Aim => ({
    ...{ name: `single: an image alone ÷ its layers, ${name}`, bound: 'at most', limit: 0.92 },
    ...{ value, unit: '×' },
  });
  return [most('median', median), most('worst', worst)];
}

/** Least MB of tar a second of processor time, by whose model makes the layer. */
const ingestRates: Readonly<Record<string, number>> = { go: 28, klauspost: 42, pgzip: 42 };

export function judgeIngest(results: readonly IngestResult[]): readonly Aim[] {
  return Object.entries(ingestRates).map(
    ([compressor, megabytes]): Aim => ({
      name: `ingest: ${compressor}, MB of tar a CPU second`,
      bound: 'at least',
      limit: megabytes * million,
      value:
        results.find((result) => result.compressor === compressor)?.bytesPerProcessorSecond ??
        Number.NaN,
      unit: 'MB/s',
    }),
  );
}

export function judgeHits(results: readonly HitsResult[]): readonly Aim[] {
  return results.map(({ connections, rateRatio }) => ({
    name: `hits: rate while taking apart ÷ without, ${connections} connections`,
    bound: 'at least',
    limit: 0.9,
    value: rateRatio,
    unit: '×',
  }));
}

export function judgeRestores(results: readonly RestoreResult[]): readonly Aim[] {
  const wanted = results.find(({ isWanted }) => isWanted);
  const slowest = results.map(({ firstByteMs }) => firstByteMs);
  return [
    {
      name: 'restore: first byte, nothing warm, slowest layer',
      ...{ bound: 'at most', limit: 60, unit: 'ms' },
      value: slowest.length === 0 ? Number.NaN : Math.max(...slowest),
    },
    {
      name: `restore: tar of the layer nearest to ${wantedSize / million} MB, nothing warm`,
      ...{ bound: 'at least', limit: 120 * million, unit: 'MB/s' },
      value: wanted?.bytesPerSecond ?? Number.NaN,
    },
  ];
}

/** Of Mica, whatever the mode; bytes. */
const residentLimit = 400 * million;

export function judgeReplay(results: readonly WayResult[]): readonly Aim[] {
  const find = (way: WayResult['way']): WayResult | undefined =>
    results.find((result) => result.way === way);
  const [off, predicting] = [find('off'), find('s, prediction')];
  const versusOff = (pick: (result: WayResult) => number): number =>
    off === undefined || predicting === undefined ? Number.NaN : pick(predicting) / pick(off);
  const most = (name: string, limit: number, value: number): Aim => ({
    ...{ name: `replay: s with prediction ÷ off, ${name}`, bound: 'at most', limit, value },
    unit: '×',
  });
  const ofMica = results.filter(({ way }) => way !== 'distribution');
  return [
    most(
      'mean of a layer',
      1.15,
      versusOff(({ meanMs }) => meanMs),
    ),
    most(
      'p99 of a layer',
      1.15,
      versusOff(({ p99Ms }) => p99Ms),
    ),
    most(
      'disk',
      diskRatio,
      versusOff(({ stored }) => stored),
    ),
    {
      name: 'replay: resident memory, any mode',
      ...{ bound: 'at most', limit: residentLimit, unit: 'MB' },
      value:
        ofMica.length === 0
          ? Number.NaN
          : Math.max(...ofMica.map(({ residentMemory }) => residentMemory)),
    },
  ];
}

export function judgeDockerPulls(results: readonly DockerPullResult[]): readonly Aim[] {
  const find = (way: DockerPullResult['way']): number =>
    results.find((result) => result.way === way)?.seconds ?? Number.NaN;
  return [
    {
      name: 'pull: docker pull from recipes ÷ from whole blobs',
      ...{ bound: 'at most', limit: 1.15, unit: '×' },
      value: find('recipes') / find('whole'),
    },
  ];
}

/** @param layers Reads of layers that were made again, each of which was compared with its digest. */
export function judgeChecks(layers: number, wrong: number): Aim {
  return {
    name: `right answers, of ${layers} layers made again`,
    ...{ bound: 'at least', limit: 1, unit: '%' },
    value: layers === 0 ? Number.NaN : Math.max(0, layers - wrong) / layers,
  };
}
