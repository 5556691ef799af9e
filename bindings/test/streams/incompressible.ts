// Files that a compressor can do nothing with, and, between them, runs of zeros, which it makes
// nearly nothing of: what takes a model out of its stride.

import { createCipheriv } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { downloadPackages } from './debian-packages.ts';

/** Their files are tars compressed with xz. */
const PACKAGES = ['python3-pip', 'libssl3', 'tzdata'];

/** Bytes of random files, less than and around what encoders take as one block or window. */
const RANDOM_SIZES = [1, 100, 511, 4_096, 32_768, 65_535, 65_536, 131_073];

const ZEROS_SIZE = 300_000;

/** Bytes of each package's file in a round. */
const PART_SIZE = 200_000;

/** Puts files of about `size` bytes in all below `folder`, always the same. */
export async function writeIncompressibleFiles(folder: string, size: number): Promise<void> {
  const packages = await Promise.all(
    (await downloadPackages(PACKAGES)).map(async (file) => ({
      name: basename(file),
      bytes: await readFile(file),
    })),
  );
  for (let round = 0, left = size; left > 0; round++) {
    const below = join(folder, `round-${String(round).padStart(3, '0')}`);
    await mkdir(below);
    for (const { name, bytes } of filesOfRound(round, packages)) {
      if (left <= 0) return;
      await writeFile(join(below, name), bytes);
      left -= bytes.length;
    }
  }
}

interface NamedBytes {
  readonly name: string;
  readonly bytes: Uint8Array;
}

function filesOfRound(round: number, packages: readonly NamedBytes[]): readonly NamedBytes[] {
  const random = RANDOM_SIZES.map((length) => ({
    name: `random-${length}`,
    bytes: randomBytes(round, length),
  }));
  const parts = packages.map(({ name, bytes }) => {
    const start = (round * PART_SIZE) % bytes.length;
    return { name: `${name}.part`, bytes: bytes.subarray(start, start + PART_SIZE) };
  });
  const zeros = { name: 'zeros', bytes: new Uint8Array(ZEROS_SIZE) };
  return [...random, zeros, ...parts];
}

/** The same for the same `seed` and `length`. */
function randomBytes(seed: number, length: number): Uint8Array {
  const nonce = Buffer.alloc(16);
  nonce.writeUInt32LE(seed, 0);
  nonce.writeUInt32LE(length, 8);
  return createCipheriv('aes-256-ctr', Buffer.alloc(32), nonce).update(new Uint8Array(length));
}
