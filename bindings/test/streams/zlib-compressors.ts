// zlib and what shares its way to find matches: Python's, Java's, GNU gzip, pigz. Node's is a fork
// (Chromium's): it hashes 4 bytes instead of 3, so it finds other matches and makes other streams.

import { createReadStream, createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { constants, createGzip, type ZlibOptions } from 'node:zlib';
import { SOURCES_FOLDER } from './cache.ts';
import { type Compressor, type Expected, fromCommand } from './compressor.ts';
import { javaFolder } from './programs.ts';

const ALL_LEVELS = [1, 2, 3, 4, 5, 6, 7, 8, 9];

const STRATEGIES = {
  filtered: constants.Z_FILTERED,
  huffman: constants.Z_HUFFMAN_ONLY,
  rle: constants.Z_RLE,
  fixed: constants.Z_FIXED,
} as const;

const DEFAULT_MEMORY_LEVEL = 8;
const DEFAULT_WINDOW_BITS = 15;

const PYTHON_PROGRAM = join(SOURCES_FOLDER, 'python', 'compress.py');

export function zlibCompressors(): readonly Compressor[] {
  return [
    ...pythonCompressors(),
    ...javaCompressors(),
    ...gzipCompressors(),
    ...pigzCompressors(),
    ...nodeCompressors(),
  ];
}

interface ZlibParameters {
  readonly level: number;
  readonly strategy?: number;
  readonly memoryLevel?: number;
  readonly windowBits?: number;
  /** Kind of flush, and bytes of plain text after which to do it. */
  readonly flush?: readonly [kind: number, size: number];
}

/** Stock zlib through Python, which lets all its parameters be set. */
function pythonCompressors(): readonly Compressor[] {
  const strategies = Object.entries(STRATEGIES);
  return [
    ...[0, ...ALL_LEVELS].map((level) => zlib(`${level}`, { level })),
    ...strategies.map(([name, strategy]) => zlib(`6-${name}`, { level: 6, strategy }, 'raw')),
    ...[1, 9].map((memoryLevel) => zlib(`6-memory${memoryLevel}`, { level: 6, memoryLevel })),
    zlib('6-window12', { level: 6, windowBits: 12 }, 'raw'),
    zlib('6-sync-100000', { level: 6, flush: [constants.Z_SYNC_FLUSH, 100_000] }),
    zlib('6-full-100000', { level: 6, flush: [constants.Z_FULL_FLUSH, 100_000] }),
  ];
}

function zlib(label: string, parameters: ZlibParameters, expected: Expected = 'model'): Compressor {
  const { level, strategy, memoryLevel, windowBits, flush = [] } = parameters;
  const options = [
    level,
    strategy ?? constants.Z_DEFAULT_STRATEGY,
    memoryLevel ?? DEFAULT_MEMORY_LEVEL,
    windowBits ?? DEFAULT_WINDOW_BITS,
    ...flush,
  ];
  const command = ['python3', PYTHON_PROGRAM, ...options.map(String)] as const;
  return fromCommand({ name: `zlib-${label}`, family: 'zlib', expected, command });
}

function javaCompressors(): readonly Compressor[] {
  const classes = javaFolder();
  return [1, 6, 9].map((level) =>
    fromCommand({
      name: `java-${level}`,
      family: 'zlib',
      command: ['java', '-cp', classes, 'Compress', `${level}`],
      needs: classes,
    }),
  );
}

function gzipCompressors(): readonly Compressor[] {
  const gzip = (label: string, ...options: string[]): Compressor =>
    fromCommand({ name: `gzip-${label}`, family: 'zlib', command: ['gzip', '-n', ...options] });
  return [
    ...ALL_LEVELS.map((level) => gzip(`${level}`, `-${level}`)),
    gzip('6-rsyncable', '-6', '--rsyncable'),
  ];
}

/** Two threads and more give the same bytes; `-i` does without the text before a block. */
function pigzCompressors(): readonly Compressor[] {
  const pigz = (label: string, ...options: string[]): Compressor =>
    fromCommand({
      name: `pigz-${label}`,
      family: 'zlib',
      command: ['pigz', '-n', '-p2', ...options],
    });
  return [
    ...ALL_LEVELS.map((level) => pigz(`${level}`, `-${level}`)),
    pigz('6-one-thread', '-6', '-p1'),
    pigz('6-independent', '-6', '-i'),
    pigz('6-512KiB', '-6', '-b512'),
    pigz('6-rsyncable', '-6', '-R'),
    // Zopfli.
    fromCommand({
      name: 'pigz-11',
      family: 'other',
      command: ['pigz', '-n', '-p2', '-11'],
      expected: 'raw',
      isSlow: true,
    }),
  ];
}

function nodeCompressors(): readonly Compressor[] {
  const strategies = Object.entries(STRATEGIES);
  return [
    ...ALL_LEVELS.map((level) => node(`${level}`, { level })),
    ...strategies.map(([name, strategy]) => node(`6-${name}`, { level: 6, strategy })),
    node('6-memory9', { level: 6, memLevel: 9 }),
  ];
}

function node(label: string, options: ZlibOptions): Compressor {
  return {
    name: `node-${label}`,
    family: 'chromium',
    expected: 'raw',
    format: 'gzip',
    isSlow: false,
    isAvailable: () => true,
    compress: async (source, target) => {
      await pipeline(createReadStream(source), createGzip(options), createWriteStream(target));
    },
  };
}
