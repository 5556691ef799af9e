// The measurements of the store as tables.
import { type Measurements, megabytes, milliseconds, ratio, seconds } from '../lib/table.ts';
import type { DockerPullResult } from './docker-pulls.ts';
import type { HitsResult } from './hits.ts';
import type { IngestResult } from './ingest.ts';
import type { WayResult } from './replay.ts';
import type { RestoreResult } from './restore.ts';
import type { SingleResult, SizeResult } from './size.ts';

export function tabulateSize(result: SizeResult): Measurements {
  const { stats, stored, compressed, distribution, unique, images } = result;
  const row = (what: string, bytes: number): readonly string[] => [
    what,
    Number.isNaN(bytes) ? '-' : megabytes(bytes),
    ratio(bytes / compressed),
    ratio(bytes / distribution),
  ];
  return {
    title:
      `store: ${images} images, ${stats.total} layers (${stats.recipeOnly} recipes, ` +
      `${stats.whole} whole), ${stats.uniqueFiles} unique and ${stats.duplicateFiles} duplicate files`,
    head: ['what', 'MB', '÷ compressed', '÷ distribution'],
    rows: [
      row('tars', stats.tar),
      row('compressed layers', compressed),
      row('distribution, du', distribution),
      row('Mica b0, du', stored),
      row('Mica b0, as it says', stats.stored),
      row('of it packs', stats.packs),
      row('of it recipes', stats.recipes),
      row('unique files', unique?.uniqueSize ?? Number.NaN),
      row('unique files, zstd', unique?.compressed ?? Number.NaN),
    ],
  };
}

export function tabulateSingles(results: readonly SingleResult[]): Measurements {
  return {
    title: 'store: an image alone',
    head: ['image', 'compressed MB', 'stored MB', 'stored ÷ compressed'],
    rows: results.map(({ image, compressed, stored, share }) => [
      image,
      megabytes(compressed),
      megabytes(stored),
      ratio(share),
    ]),
  };
}

export function tabulateIngest(results: readonly IngestResult[]): Measurements {
  return {
    title:
      'store: layers taken apart, proof included; MB of tar a second, and a second of processor time',
    head: [
      ...['made by', 'layers', 'tar MB', 'MB/s', 'MB/CPU s'],
      ...['CPU: recipe, files', 'second pass', 'proof, index'],
    ],
    rows: results.map((result) => [
      result.compressor,
      `${result.layers}`,
      megabytes(result.tarSize),
      megabytes(result.bytesPerSecond),
      megabytes(result.bytesPerProcessorSecond),
      roundPercent(result.takeApartShare),
      roundPercent(result.secondPassShare),
      roundPercent(1 - result.takeApartShare - result.secondPassShare),
    ]),
  };
}

function roundPercent(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}

export function tabulateHits(results: readonly HitsResult[]): Measurements {
  const rows = results.flatMap(({ connections, quiet, busy, busyRounds, rateRatio }) => [
    [
      `${connections}`,
      'no',
      quiet.requestsPerSecond.toFixed(0),
      milliseconds(quiet.p50Ms),
      milliseconds(quiet.p99Ms),
      '',
    ],
    [
      `${connections}`,
      `yes (${busyRounds} rounds)`,
      busy.requestsPerSecond.toFixed(0),
      milliseconds(busy.p50Ms),
      milliseconds(busy.p99Ms),
      ratio(rateRatio),
    ],
  ]);
  return {
    title:
      `store: hits on a whole blob of ${megabytes(results[0]?.size ?? 0)} MB ` +
      'while layers are taken apart; medians',
    head: ['connections', 'taking apart', 'requests/s', 'p50 ms', 'p99 ms', 'rate ÷ without'],
    rows,
  };
}

export function tabulateRestores(results: readonly RestoreResult[]): Measurements {
  return {
    title: 'store: GET of a layer that is only a recipe, nothing warm; medians',
    head: ['layer', 'MB', 'tar MB', 'first byte ms', 'all ms', 'MB of tar/s', 'CPU s'],
    rows: results.map((result) => [
      result.layer,
      megabytes(result.size),
      megabytes(result.tarSize),
      milliseconds(result.firstByteMs),
      milliseconds(result.seconds * 1e3),
      megabytes(result.bytesPerSecond),
      seconds(result.processorSeconds),
    ]),
  };
}

export function tabulateReplay(results: readonly WayResult[]): Measurements {
  const off = results.find(({ way }) => way === 'off');
  const rows = results.map((result) => {
    const { prediction } = result;
    return [
      result.way,
      milliseconds(result.meanMs),
      milliseconds(result.p50Ms),
      milliseconds(result.p99Ms),
      ratio(result.meanMs / (off?.meanMs ?? Number.NaN)),
      megabytes(result.stored),
      ratio(result.stored / (off?.stored ?? Number.NaN)),
      Number.isNaN(result.whole) ? '-' : `${result.whole}`,
      megabytes(result.residentMemory),
      prediction === undefined ? '-' : `${prediction.used} of ${prediction.made}`,
    ];
  });
  return {
    title: `store: a trace replayed, ${off?.layers ?? 0} layers measured`,
    head: [
      ...['way', 'mean ms', 'p50 ms', 'p99 ms', 'mean ÷ off', 'disk MB', 'disk ÷ off', 'whole'],
      ...['memory MB', 'made ahead, used'],
    ],
    rows,
  };
}

export function tabulateDockerPulls(results: readonly DockerPullResult[]): Measurements {
  const whole = results.find(({ way }) => way === 'whole');
  return {
    title: `store: docker pull of ${whole?.image ?? 'nothing'}, ${megabytes(whole?.compressed ?? 0)} MB`,
    head: ['from', 'layers made again', 'seconds', 'of all rounds', '÷ whole'],
    rows: results.map((result) => [
      result.way,
      `${result.restored}`,
      seconds(result.seconds),
      result.all.map(seconds).join(', '),
      ratio(result.seconds / (whole?.seconds ?? Number.NaN)),
    ]),
  };
}
