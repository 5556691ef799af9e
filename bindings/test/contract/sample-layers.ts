// Layers of all kinds, small enough to be taken apart by every core within a test.

import { readdir, readFile } from 'node:fs/promises';
import { constants, deflateRawSync, gzipSync } from 'node:zlib';
import { makeBytes } from './bytes.ts';
import { makeTar, type TarFile } from './tar.ts';

/** Streams of compressors that are no part of JavaScript's runtimes; seen from `dist/test/contract`. */
const FIXTURES = new URL('../../../../core-rs/tests/fixtures/headers/', import.meta.url);

/** Layers whose recipes are kept for ever, among them those of libzstd. */
const GOLDEN = new URL('../../../../core-rs/tests/golden/', import.meta.url);

export interface SampleLayer {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly encoding: 'identity' | 'gzip' | 'zstd';
}

/** Text that compresses as source code does. */
export function makeText(size: number, seed: number): Uint8Array {
  const words = [
    'return',
    'const',
    'value',
    '  if (',
    ') {\n',
    '}\n',
    'index',
    ' = ',
    '0x',
    '.length',
  ];
  const numbers = makeBytes(size, seed);
  let text = '';
  for (let index = 0; text.length < size; index += 1) {
    const number = numbers[index] ?? 0;
    text += number < 200 ? (words[number % words.length] ?? '') : `${number * index} `;
  }
  return Buffer.from(text.slice(0, size), 'latin1');
}

/** Files of all sizes, with duplicates, one larger than a pack's block. */
export const SAMPLE_FILES: readonly TarFile[] = [
  { name: 'empty', content: new Uint8Array() },
  { name: 'one-byte', content: Uint8Array.of(7) },
  { name: 'text', content: makeText(70_000, 5) },
  { name: 'text-again', content: makeText(70_000, 5) },
  { name: 'random', content: makeBytes(50_000, 9) },
  { name: 'large', content: makeText(1_100_000, 11) },
  { name: 'zeros', content: new Uint8Array(300_000) },
  { name: 'one-byte-again', content: Uint8Array.of(7) },
  ...Array.from({ length: 40 }, (_, index) => ({
    name: `small/${index}`,
    content: makeText(100 + index * 37, index + 1),
  })),
];

export const SAMPLE_TAR: Uint8Array = makeTar(SAMPLE_FILES);

/** What follows a member in layers that were padded or signed. */
const TRAILING = Buffer.from('these bytes are not gzip\n');

function gzipped(name: string, bytes: Uint8Array): SampleLayer {
  return { name, bytes, encoding: 'gzip' };
}

function identity(name: string, bytes: Uint8Array): SampleLayer {
  return { name, bytes, encoding: 'identity' };
}

function levels(): readonly SampleLayer[] {
  return [0, 1, 4, 6, 9].map((level) =>
    gzipped(`gzip of level ${level}`, gzipSync(SAMPLE_TAR, { level })),
  );
}

function strategies(): readonly SampleLayer[] {
  const { Z_HUFFMAN_ONLY, Z_RLE, Z_FIXED } = constants;
  return Object.entries({ Z_HUFFMAN_ONLY, Z_RLE, Z_FIXED }).map(([name, strategy]) =>
    gzipped(
      `gzip by ${name}`,
      gzipSync(SAMPLE_TAR.subarray(0, 300_000), { strategy, memLevel: 4 }),
    ),
  );
}

function framings(): readonly SampleLayer[] {
  const half = 150_077;
  const members = [SAMPLE_TAR.subarray(0, half), new Uint8Array(), SAMPLE_TAR.subarray(half)];
  const stream = gzipSync(SAMPLE_TAR.subarray(0, 100_000));
  return [
    gzipped('three members', Buffer.concat(members.map((member) => gzipSync(member)))),
    gzipped('bytes that follow', Buffer.concat([stream, TRAILING])),
    gzipped('zeros that follow', Buffer.concat([stream, new Uint8Array(2_000_000)])),
    gzipped('gzip of no bytes', gzipSync(new Uint8Array())),
    gzipped('gzip of what is no tar', gzipSync(makeText(400_000, 3))),
    gzipped('gzip of random bytes', gzipSync(makeBytes(400_000, 3))),
  ];
}

/** gzip with flags that no version of it has (RFC 1952 §2.3.1). */
function reservedFlags(): Uint8Array {
  const stream = gzipSync(SAMPLE_TAR.subarray(0, 100_000));
  stream[3] = 0x80;
  return stream;
}

function plainLayers(): readonly SampleLayer[] {
  return [
    identity('a tar', SAMPLE_TAR),
    identity('a tar cut off', SAMPLE_TAR.subarray(0, 1_000_000)),
    identity('no bytes', new Uint8Array()),
    identity('one byte', Uint8Array.of(0x1f)),
    identity('random bytes', makeBytes(1_300_000, 77)),
    identity('what no reader of gzip takes', reservedFlags()),
    identity('deflate without gzip', deflateRawSync(SAMPLE_TAR)),
  ];
}

async function fixtures(): Promise<readonly SampleLayer[]> {
  const names = (await readdir(FIXTURES)).filter((name) => name.endsWith('.gz')).sort();
  return await Promise.all(
    names.map(async (name) => gzipped(name, await readFile(new URL(name, FIXTURES)))),
  );
}

/** zstd layers by name: `zstd-3`, `zstd-19` and `zstd-fast` are libzstd's. */
export async function zstdLayer(name: string): Promise<Uint8Array> {
  return await readFile(new URL(`recipe-v1-${name}.layer`, GOLDEN));
}

async function zstdLayers(): Promise<readonly SampleLayer[]> {
  const names = ['zstd-3', 'zstd-19', 'zstd-fast'];
  return await Promise.all(
    names.map(async (name) => ({ name, bytes: await zstdLayer(name), encoding: 'zstd' as const })),
  );
}

export async function sampleLayers(): Promise<readonly SampleLayer[]> {
  const ours = [...levels(), ...strategies(), ...framings(), ...plainLayers()];
  return [...ours, ...(await fixtures()), ...(await zstdLayers())];
}
