// The measurements of the core as tables.
import { type Measurements, megabytes, milliseconds, percent, ratio } from '../lib/table.ts';
import { commonCompressors, peerCompressors } from './corpus.ts';
import { type Cell, listMeasured } from './exactness.ts';
import type { LatencyResult } from './latency.ts';
import type { MemoryResult } from './memory-growth.ts';
import type { SpeedResult } from './speed.ts';

export function tabulateExactness(cells: readonly Cell[]): Measurements {
  const groups = new Map<string, Cell[]>();
  for (const cell of cells) {
    const { name, size } = cell.stream.layer;
    const group = groups.get(`${name} ${size}`) ?? [];
    groups.set(`${name} ${size}`, [...group, cell]);
  }
  const rows = [...groups].map(([layer, group]) => {
    const count = (isCounted: (cell: Cell) => boolean): string =>
      `${group.filter(isCounted).length}`;
    return [
      layer,
      megabytes(group[0]?.stream.layer.length ?? 0),
      `${group.length}`,
      count(({ outcome }) => outcome === 'exact'),
      count(({ ingested }) => ingested?.rawSegments === 0),
      count(isUnexpectedlyRaw),
      count(({ outcome }) => outcome === 'refused'),
      count(({ outcome }) => outcome === 'wrong'),
    ];
  });
  return {
    title: 'core: layers taken apart, made again and compared',
    head: ['layer', 'tar MB', 'streams', 'exact', 'by models', 'raw', 'refused', 'wrong'],
    rows,
  };
}

/** A stream that a model should make, but of which segments are kept as they are. */
function isUnexpectedlyRaw({ stream, ingested }: Cell): boolean {
  return stream.compressor.expected === 'model' && (ingested?.rawSegments ?? 0) > 0;
}

/** Of whole layers; without any, of the samples of those layers whose speed is measured. */
export function tabulateSizes(cells: readonly Cell[]): Measurements {
  const rows = listMeasured(cells).flatMap(({ stream, ingested }) => {
    const { layer, compressor, length } = stream;
    if (ingested === undefined || !commonCompressors.includes(compressor.name)) {
      return [];
    }
    const { corrections, blocks, skeleton, raw } = ingested.sectionSizes;
    const sizes = [corrections, blocks, skeleton, raw, ingested.recipeSize];
    return [
      [
        `${layer.name} ${layer.size}`,
        compressor.name,
        megabytes(length),
        ...sizes.map((size) => percent(size / length)),
        `${ingested.compressor ?? '-'} ${ingested.level ?? ''}`.trim(),
        `${ingested.rawSegments} of ${ingested.segments}`,
      ],
    ];
  });
  return {
    title: 'core: what is kept beside the files, as shares of the layer',
    head: [
      ...['layer', 'compressor', 'MB', 'corrections', 'blocks', 'skeleton', 'raw', 'recipe'],
      ...['found', 'raw segments'],
    ],
    rows,
  };
}

export function tabulateSpeed(results: readonly SpeedResult[]): Measurements {
  const sorted = results.toSorted((a, b) => (a.layer < b.layer ? -1 : Number(a.layer > b.layer)));
  const rows = sorted.map((result) => {
    const { layer, compressor, who, work, bytesPerSecond, bytesPerProcessorSecond } = result;
    const peers = peerCompressors.map((name) =>
      results.find((peer) => peer.layer === layer && peer.who === name),
    );
    return [
      layer,
      compressor,
      who,
      result.isByModel ? work : `${work} (raw)`,
      megabytes(bytesPerSecond),
      megabytes(bytesPerProcessorSecond),
      ...peers.map((peer) =>
        ratio(bytesPerProcessorSecond / (peer?.bytesPerProcessorSecond ?? Number.NaN)),
      ),
    ];
  });
  return {
    title: 'core: MB of tar a second, and a second of processor time; the best of the rounds',
    head: [
      ...['layer', 'made by', 'who', 'work', 'MB/s', 'MB/CPU s'],
      ...peerCompressors.map((name) => `÷ ${name}`),
    ],
    rows,
  };
}

export function tabulateLatency(results: readonly LatencyResult[]): Measurements {
  return {
    title: 'core: from opening a kept layer; the best of the rounds',
    head: ['layer', 'made by', 'MB', 'first byte ms', 'not cached ms', '1 MiB range ms'],
    rows: results.map((result) => [
      result.layer,
      result.compressor,
      megabytes(result.size),
      milliseconds(result.firstByteMs),
      milliseconds(result.coldFirstByteMs),
      milliseconds(result.rangeMs),
    ]),
  };
}

export function tabulateMemory(results: readonly MemoryResult[]): Measurements {
  const rows = results.map((result) => {
    const { layer, compressor, work, workers, tarSize, growth } = result;
    const smallest = results
      .filter((other) => other.layer === layer && other.work === work && other.workers === workers)
      .reduce((least, other) => (other.tarSize < least.tarSize ? other : least));
    return [
      layer,
      compressor,
      megabytes(tarSize),
      work,
      `${workers}`,
      megabytes(growth),
      ratio(growth / smallest.growth),
      ratio(tarSize / smallest.tarSize),
    ];
  });
  return {
    title: 'core: most memory beyond what the process has anyway',
    head: ['layer', 'made by', 'tar MB', 'work', 'workers', 'MB', '÷ smaller', 'tar ÷ smaller'],
    rows,
  };
}
