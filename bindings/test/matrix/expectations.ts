// What the core is expected to find in a stream, by the compressor that made it.

import type { IngestedLayer } from '../../src/core.ts';
import type { Compressor } from '../streams/compressor.ts';

/** Whose code made a stream, and how: what the core says in `compressor` and `level`. */
export interface Maker {
  readonly compressor: string;
  readonly level: number;
}

/** The part of what corrections may take, and how many bytes they may take anyway. */
interface Allowance {
  readonly ratio: number;
  readonly size: number;
}

/** Layers are made with these almost always. */
const COMMON_ALLOWANCE: Allowance = { ratio: 0.0002, size: 64 };
/**
 * Its one table recovers slowly from the history that a segment does not have: up to 300 bytes for
 * each of the three segments that a small layer has beside its first one.
 */
const KLAUSPOST_1_ALLOWANCE: Allowance = { ratio: 0.0002, size: 900 };
const OTHER_ALLOWANCE: Allowance = { ratio: 0.01, size: 256 };

/** No model forgets the history at a flush; layers are not made so. */
const FORGETFUL_ALLOWANCE: Allowance = { ratio: 0.06, size: 256 };
const FORGETFUL = /-full-\d+$/;

/** Blocks that end anywhere, as text decides: what zlib finds with flushes is the same. */
const NAMELESS = /-rsyncable$/;

/**
 * Bytes of corrections up to which another's model is as good: of half a megabyte, pigz and zlib may write
 * all but the same.
 */
const AS_GOOD_SIZE = 16;

/** What pgzip compresses at a time unless it is told otherwise, bytes (`defaultBlockSize` in gzip.go). */
const PGZIP_BLOCK_SIZE = 1 << 20;
const SMALL_BLOCKS = /-\d+KiB$/;

/** Names of common compressors, but for framings: header fields change no prediction. */
const COMMON: readonly RegExp[] = [
  /^go-1\.26-[16]$/,
  /^(go-1\.27|klauspost-[\d.]+)-[56]$/,
  /^pgzip-[\d.]+-klauspost-[\d.]+-[156]$/,
  /^(zlib|java|gzip|pigz)-[69]$/,
];

const KLAUSPOST_1 = /^(go-1\.27|klauspost-[\d.]+)-1$/;

const FRAMING = /-(two-members|empty-members|named|all-fields|trailing-zeros|trailing-text)$/;

/** Program and its version, then the level, then other parameters. */
const NAME =
  /^(?<program>go-[\d.]+|klauspost-[\d.]+|pgzip-[\d.]+-klauspost-[\d.]+|\w+)-(?<level>\d+|huffman|stateless)(-|$)/;

const HUFFMAN_ONLY = -2;

/**
 * None when nobody's model is meant for it.
 *
 * @param length Bytes of the layer's tar: what pgzip compresses as one block is what klauspost's encoder makes.
 */
export function makersOf({ name, family, expected }: Compressor, length: number): readonly Maker[] {
  const groups = NAME.exec(name)?.groups;
  const found = groups?.['level'];
  if (expected === 'raw' || found === undefined) return [];
  const level = found === 'huffman' ? HUFFMAN_ONLY : Number(found);
  const maker = { compressor: groups?.['program'] === 'pigz' ? 'pigz' : family, level };
  const isOneBlock = length <= PGZIP_BLOCK_SIZE && !SMALL_BLOCKS.test(name);
  return family === 'pgzip' && isOneBlock ? [maker, { compressor: 'klauspost', level }] : [maker];
}

function allowanceOf({ name }: Compressor): Allowance {
  const plain = name.replace(FRAMING, '');
  if (KLAUSPOST_1.test(plain)) return KLAUSPOST_1_ALLOWANCE;
  if (FORGETFUL.test(plain)) return FORGETFUL_ALLOWANCE;
  return COMMON.some((pattern) => pattern.test(plain)) ? COMMON_ALLOWANCE : OTHER_ALLOWANCE;
}

/**
 * What is not as a model should make it; nothing for streams that no model is meant for.
 *
 * @param makers Who makes the same stream: any of them is the right answer; none, anybody.
 */
export function findModelFaults(
  compressor: Compressor,
  ingested: IngestedLayer,
  makers: readonly Maker[],
): readonly string[] {
  if (compressor.expected !== 'model') return [];
  const { rawSegments, segments, sectionSizes, summary } = ingested;
  const faults: string[] = [];
  if (rawSegments > 0)
    faults.push(`${rawSegments} of ${segments} segments are raw, ${sectionSizes.raw} bytes`);
  const { ratio, size } = allowanceOf(compressor);
  const allowed = Math.max(Math.floor(summary.size * ratio), size);
  if (sectionSizes.corrections > allowed)
    faults.push(
      `corrections take ${sectionSizes.corrections} bytes of ${summary.size}, not ${allowed}`,
    );
  const found = nameOf(ingested);
  const names = [...new Set(makers.map(nameOf))];
  const isTelling = names.length > 0 && !NAMELESS.test(compressor.name);
  if (isTelling && sectionSizes.corrections > AS_GOOD_SIZE && !names.includes(found))
    faults.push(`made by ${found}, not by ${names.join(' or ')}`);
  return faults;
}

function nameOf({ compressor, level }: { compressor?: string; level?: number }): string {
  return `${compressor} at ${level}`;
}
