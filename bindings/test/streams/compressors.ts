// The catalogue: each compressor that layers are made with, at each of its levels, and a few that
// no model is meant for.

import { type Compressor, fromCommand } from './compressor.ts';
import { framingsOf } from './framings.ts';
import { goCompressors } from './go-compressors.ts';
import { zlibCompressors } from './zlib-compressors.ts';
import { zstdCompressors } from './zstd-compressors.ts';

/** Compressors whose streams are also put into other framings: one a family of headers. */
const FRAMED = ['go-1.26-6', 'klauspost-1.20.4-5', 'gzip-9'];

/** All of the catalogue, also what the machine lacks the programs for. */
export function allCompressors(): readonly Compressor[] {
  const plain = [...goCompressors(), ...zlibCompressors(), ...otherCompressors()];
  const framed = plain.filter((one) => FRAMED.includes(one.name)).flatMap(framingsOf);
  return [...plain, ...framed];
}

/** What can be used here; `installStreamPrograms` adds to it. */
export function availableCompressors(): readonly Compressor[] {
  return allCompressors().filter((one) => one.isAvailable());
}

/**
 * Compressors whose streams are, but for the header, byte for byte those of others: measured on a
 * Python tree of 65 MB and on samples of it.
 */
const TWINS: readonly RegExp[] = [
  // Go 1.27 has klauspost's encoder as it was in 1.18.4 to 1.20.3.
  /^klauspost-1\.(18\.4|20\.2)-/,
  // As in 1.17.11.
  /^klauspost-1\.(15\.15|16\.7)-/,
  // As in 1.13.6, but for levels 5 and 6.
  /^klauspost-1\.11\.13-[1-47-9]$/,
  /^pgzip-1\.2\.6-klauspost-1\.11\.13-[19]$/,
  // As 1.2.6 with the same klauspost/compress.
  /^pgzip-1\.3\.0-/,
  // zlib itself.
  /^java-[19]$/,
  // Any number of threads gives the same bytes.
  /^pigz-6-one-thread$/,
];

/** What a test of all layers uses: all that differ, without those that would take minutes. */
export function matrixCompressors(): readonly Compressor[] {
  return availableCompressors().filter(
    ({ name, isSlow }) => !(isSlow || TWINS.some((pattern) => pattern.test(name))),
  );
}

/**
 * One a model, framing and fall-back: for a first look at a core, or a layer too large for all.
 */
export const REPRESENTATIVE_COMPRESSORS: readonly string[] = [
  'go-1.26-1',
  'go-1.26-6',
  'go-1.26-9',
  'go-1.27-6',
  'klauspost-1.20.4-1',
  'klauspost-1.20.4-5',
  'klauspost-1.20.4-9',
  'klauspost-1.13.6-5',
  'pgzip-1.2.6-klauspost-1.20.4-5',
  'zlib-1',
  'zlib-6',
  'zlib-9',
  'gzip-6',
  'gzip-9',
  'pigz-6',
  'node-6',
  'igzip-1',
  'zstd-3',
  'zstandard-3',
  'klauspost-zstd-1.20.4-2',
];

function otherCompressors(): readonly Compressor[] {
  const igzip = [0, 1, 2, 3].map((level) =>
    fromCommand({
      name: `igzip-${level}`,
      family: 'other',
      command: ['igzip', '-n', '-c', `-${level}`, '-'],
      expected: 'raw',
    }),
  );
  return [...igzip, ...zstdCompressors()];
}
