// Small layers for tests: tars of files that differ by their seed, compressed as Node does.

import { gzipSync } from 'node:zlib';
import type { ExecutionContext } from 'ava';

const BLOCK_SIZE = 512;

/** A ustar archive of files with these contents. */
export function makeTar(contents: readonly Uint8Array[]): Uint8Array {
  const entries = contents.map((content, index) => {
    const padding = new Uint8Array((BLOCK_SIZE - (content.length % BLOCK_SIZE)) % BLOCK_SIZE);
    return Buffer.concat([headerOf(`file-${index}`, content.length), content, padding]);
  });
  return Buffer.concat([...entries, new Uint8Array(2 * BLOCK_SIZE)]);
}

/** https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html, ustar Interchange Format */
function headerOf(name: string, size: number): Uint8Array {
  const header = Buffer.alloc(BLOCK_SIZE);
  header.write(name);
  header.write('0000644\0', 100);
  header.write(`${size.toString(8).padStart(11, '0')}\0`, 124);
  header.write(' '.repeat(8), 148);
  header.write('0', 156);
  header.write('ustar\x0000', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return header;
}

const WORDS = ['return ', 'const ', 'value', ' = ', 'if (', ') {\n', '}\n', '.length', '0x'];

/** Text that compresses as source code does, another one for each seed. */
export function makeText(size: number, seed: number): Uint8Array {
  let text = '';
  for (let state = seed + 1; text.length < size; ) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const choice = state >>> 24;
    text += choice < 200 ? WORDS[choice % WORDS.length] : `${state} `;
  }
  return Buffer.from(text.slice(0, size), 'latin1');
}

/** Files of different sizes; equal seeds give equal files. */
export function makeFiles(count: number, seed: number, size = 20_000): Uint8Array[] {
  return Array.from({ length: count }, (_, index) =>
    makeText(100 + ((index * 7919) % size), seed + index),
  );
}

/** A layer as registries have it. */
export function makeLayer(files: readonly Uint8Array[], level = 6): Uint8Array {
  return gzipSync(makeTar(files), { level });
}

/** Everything that an iterable gives. */
export async function listAll<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** Fails when bytes differ; much faster than deepEqual(). */
export function sameBytes(
  t: ExecutionContext,
  got: Uint8Array | undefined,
  expected: Uint8Array,
  message?: string,
): void {
  t.true(got !== undefined && Buffer.compare(got, expected) === 0, message);
}
