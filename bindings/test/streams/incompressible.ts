// Files that a compressor can do nothing with, and, between them, runs of zeros, which it makes
// nearly nothing of: what takes a model out of its stride.

import { createCipheriv } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { downloadPackages } from './debian-packages.ts';

/** Their files are tars compressed with xz. */
const PACKAGES = ['python3-pip', 'libssl3', 'tzdata'];

/** Bytes of random files, less than and around what encoders take as one block or window. */
const RANDOM_SIZES = [1, 100, 511, 4_096, 32_768, 65_535, 65_536, 131_073, 400_000];

const ZEROS_SIZE = 300_000;

/** Puts files of about `size` bytes in all below `folder`, always the same. */
export async function writeIncompressibleFiles(folder: string, size: number): Promise<void> {
  const packages = await Promise.all(
    (await downloadPackages(PACKAGES)).map(async (file) => ({
      name: basename(file),
      bytes: await readFile(file),
    })),
  );
  for (let round = 0, written = 0; written < size; round++) {
    const below = join(folder, `round-${String(round).padStart(3, '0')}`);
    await mkdir(below);
    const write = async (name: string, bytes: Uint8Array): Promise<void> => {
      await writeFile(join(below, name), bytes);
      written += bytes.length;
    };
    for (const length of RANDOM_SIZES) {
      await write(`random-${length}`, randomBytes(round, length));
    }
    for (const { name, bytes } of packages) {
      const start = (round * 200_000) % bytes.length;
      await write(`${name}.part`, bytes.subarray(start, start + 200_000));
    }
    await write('zeros', new Uint8Array(ZEROS_SIZE));
  }
}

/** The same for the same `seed` and `length`. */
function randomBytes(seed: number, length: number): Uint8Array {
  const nonce = Buffer.alloc(16);
  nonce.writeUInt32LE(seed, 0);
  nonce.writeUInt32LE(length, 8);
  return createCipheriv('aes-256-ctr', Buffer.alloc(32), nonce).update(new Uint8Array(length));
}
