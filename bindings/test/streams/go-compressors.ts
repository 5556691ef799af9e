// Encoders written in Go: what Docker, BuildKit, containerd, buildah, Podman, skopeo, crane and ko
// make layers with.

import { type Compressor, type Expected, type Family, fromCommand } from './compressor.ts';
import { GO_PROGRAMS, goProgramFile } from './programs.ts';

const KIBIBYTE = 1024;
const MEBIBYTE = 1024 * KIBIBYTE;

/** Only the Huffman code, no matches. */
const HUFFMAN_ONLY = -2;
/** klauspost's: nothing is kept from one write to the next. */
const STATELESS = -3;

const ALL_LEVELS = [1, 2, 3, 4, 5, 6, 7, 8, 9];

/** klauspost's and pgzip's own default. */
const KLAUSPOST_DEFAULT = 5;

/** Levels of klauspost's before v1.15 that there are models for: others were not used for layers. */
const EARLY_LEVELS: readonly number[] = [4, KLAUSPOST_DEFAULT, 6];
const EARLY = /klauspost-1\.1[13]\./;

function expectedOf(program: string, level: number): Expected {
  return EARLY.test(program) && !EARLY_LEVELS.includes(level) ? 'raw' : 'model';
}

const LEVEL_NAMES: Readonly<Record<number, string>> = {
  [HUFFMAN_ONLY]: 'huffman',
  [STATELESS]: 'stateless',
};

export function goCompressors(): readonly Compressor[] {
  return GO_PROGRAMS.flatMap(({ name, tag }) => {
    if (tag === 'zstd') return [];
    if (tag === 'pgzip') return pgzipCompressors(name);
    return tag === 'klauspost' ? klauspostCompressors(name) : standardCompressors(name);
  });
}

function standardCompressors(program: string): readonly Compressor[] {
  const family = program === 'go-1.26' ? 'go' : 'klauspost';
  const levels = [...ALL_LEVELS, 0, HUFFMAN_ONLY];
  return [
    ...levels.map((level) => atLevel(program, family, level)),
    ...cutStreams(program, family),
  ];
}

/** Streams of many members, as eStargz has, and with flushes in between. */
function cutStreams(program: string, family: Family): readonly Compressor[] {
  const cut = (label: string, flag: string, size: number, level: number): Compressor =>
    goCompressor(program, family, `${level}-${label}`, ['-level', `${level}`, flag, `${size}`]);
  return [
    cut('members-300000', '-member', 300_000, 9),
    cut('flush-100000', '-flush', 100_000, 6),
    cut('flush-1MiB', '-flush', MEBIBYTE, 6),
  ];
}

function klauspostCompressors(program: string): readonly Compressor[] {
  const isNewest = program === 'klauspost-1.20.4';
  const levels = [...ALL_LEVELS, ...(isNewest ? [0, HUFFMAN_ONLY] : [])];
  const compressors = levels.map((level) => atLevel(program, 'klauspost', level));
  if (!isNewest) return compressors;
  return [
    ...compressors,
    atLevel(program, 'klauspost', STATELESS, 'raw'),
    ...cutStreams(program, 'klauspost'),
  ];
}

function pgzipCompressors(program: string): readonly Compressor[] {
  const inBlocks = (level: number, size: number, label: string): Compressor =>
    goCompressor(program, 'pgzip', `${level}-${label}`, [
      ...['-level', `${level}`],
      ...['-block', `${size}`],
    ]);
  return [
    ...[1, KLAUSPOST_DEFAULT, 6, 9].map((level) => atLevel(program, 'pgzip', level)),
    inBlocks(KLAUSPOST_DEFAULT, 250 * KIBIBYTE, '250KiB'),
    inBlocks(KLAUSPOST_DEFAULT, 4 * MEBIBYTE, '4MiB'),
  ];
}

function atLevel(
  program: string,
  family: Family,
  level: number,
  expected: Expected = expectedOf(program, level),
): Compressor {
  const label = LEVEL_NAMES[level] ?? `${level}`;
  return goCompressor(program, family, label, ['-level', `${level}`], expected);
}

function goCompressor(
  program: string,
  family: Family,
  label: string,
  options: readonly string[],
  expected: Expected = 'model',
): Compressor {
  const command = [goProgramFile(program), ...options] as const;
  return fromCommand({ name: `${program}-${label}`, family, expected, command });
}
