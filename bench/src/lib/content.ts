// Seeded bytes that do not compress: the same seed gives the same bytes on each machine.
import { createCipheriv, createHash } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';

export interface Content {
  readonly file: string;
  readonly size: number;
  readonly digest: string;
}

export const mebibyte: number = 2 ** 20;
const pieceBytes = mebibyte;

/** `size` bytes of the AES-256-CTR key stream whose key is the SHA-256 of `seed`. */
export function* seededBytes(seed: string, size: number): Generator<Buffer> {
  const key = createHash('sha256').update(seed).digest();
  const cipher = createCipheriv('aes-256-ctr', key, Buffer.alloc(16));
  const zeros = Buffer.alloc(pieceBytes);
  for (let left = size; left > 0; left -= pieceBytes) {
    yield cipher.update(left < pieceBytes ? zeros.subarray(0, left) : zeros);
  }
}

/** Writes the bytes of `seed` to a file in `folder`. */
export async function writeContent(folder: string, seed: string, size: number): Promise<Content> {
  const file = join(folder, `${seed}.bin`);
  const out = createWriteStream(file);
  const hash = createHash('sha256');
  for (const piece of seededBytes(seed, size)) {
    hash.update(piece);
    if (!out.write(piece)) {
      await once(out, 'drain');
    }
  }
  out.end();
  await once(out, 'close');
  return { file, size, digest: `sha256:${hash.digest('hex')}` };
}
