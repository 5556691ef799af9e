// Tars for tests, entry by entry.

const BLOCK_SIZE = 512;

export interface TarFile {
  readonly name: string;
  readonly content: Uint8Array;
}

/** A tar of regular files, https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html */
export function makeTar(files: readonly TarFile[]): Uint8Array {
  const end = new Uint8Array(2 * BLOCK_SIZE);
  return Buffer.concat([...files.flatMap((file) => entryOf(file)), end]);
}

function entryOf({ name, content }: TarFile): readonly Uint8Array[] {
  const padding = new Uint8Array((BLOCK_SIZE - (content.length % BLOCK_SIZE)) % BLOCK_SIZE);
  return [headerOf(name, content.length), content, padding];
}

function headerOf(name: string, size: number): Uint8Array {
  const header = Buffer.alloc(BLOCK_SIZE);
  const octal = (value: number, digits: number): string => value.toString(8).padStart(digits, '0');
  header.write(name, 0, 100, 'latin1');
  header.write(`${octal(0o644, 7)}\0${octal(0, 7)}\0${octal(0, 7)}\0`, 100, 'latin1');
  header.write(`${octal(size, 11)}\0${octal(1_700_000_000, 11)}\0`, 124, 'latin1');
  header.write(' '.repeat(8), 148, 'latin1');
  header.write('0', 156, 'latin1');
  header.write('ustar\x0000', 257, 'latin1');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${octal(sum, 6)}\0 `, 148, 'latin1');
  return header;
}
