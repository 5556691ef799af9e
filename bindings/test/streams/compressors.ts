// The catalogue: each compressor that layers are made with, at each of its levels, and a few that
// no model is meant for.

import { type Compressor, fromCommand } from './compressor.ts';
import { framingsOf } from './framings.ts';
import { goCompressors } from './go-compressors.ts';
import { zlibCompressors } from './zlib-compressors.ts';

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
  const zstd = [1, 3, 9, 19].map((level) =>
    fromCommand({
      name: `zstd-${level}`,
      family: 'other',
      command: ['zstd', '-q', '-c', `-${level}`],
      expected: 'raw',
      format: 'zstd',
      isSlow: level === 19,
    }),
  );
  return [...igzip, ...zstd];
}
