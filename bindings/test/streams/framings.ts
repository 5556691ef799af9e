// gzip files that are more than one plain member: several members, header fields, bytes after the end.

import { readFile, rm, writeFile } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import type { Compressor } from './compressor.ts';

/** Bytes of a gzip header without optional fields (RFC 1952 §2.3). */
const HEADER_SIZE = 10;
const FLAGS_OFFSET = 3;
const MTIME_OFFSET = 4;

const FLAG_HEADER_CRC = 0x02;
const FLAG_EXTRA = 0x04;
const FLAG_NAME = 0x08;
const FLAG_COMMENT = 0x10;

/** 2023-11-14T22:13:20Z, in seconds since 1970. */
const MTIME = 1_700_000_000;

/** A tape block: what padding tools write. */
const PADDING = new Uint8Array(10_240);

const TRAILING_TEXT = Buffer.from('This is not gzip.\n');

/** A member of no plain text, in a fixed block. */
const EMPTY_MEMBER = Uint8Array.from(
  Buffer.from('1f8b08000000000000ff' + '0300' + '0000000000000000', 'hex'),
);

/** The framings of the streams of one compressor, which writes a plain header. */
export function framingsOf(compressor: Compressor): readonly Compressor[] {
  const framed = (
    label: string,
    frame: (stream: Buffer, source: string, target: string) => Promise<Uint8Array> | Uint8Array,
  ): Compressor => ({
    ...compressor,
    name: `${compressor.name}-${label}`,
    compress: async (source, target) => {
      await compressor.compress(source, target);
      await writeFile(target, await frame(await readFile(target), source, target));
    },
  });
  return [
    framed('two-members', (_, source, target) => compressHalves(compressor, source, target)),
    framed('empty-members', (stream) => Buffer.concat([EMPTY_MEMBER, stream, EMPTY_MEMBER])),
    framed('named', (stream) => withFields(stream, FLAG_NAME)),
    framed('all-fields', (stream) =>
      withFields(stream, FLAG_HEADER_CRC | FLAG_EXTRA | FLAG_NAME | FLAG_COMMENT),
    ),
    framed('trailing-zeros', (stream) => Buffer.concat([stream, PADDING])),
    {
      ...framed('trailing-text', (stream) => Buffer.concat([stream, TRAILING_TEXT])),
      trailingLength: TRAILING_TEXT.length,
    },
  ];
}

/** Like `cat a.gz b.gz`, cut where no tar block ends. */
async function compressHalves(
  compressor: Compressor,
  source: string,
  target: string,
): Promise<Uint8Array> {
  const plain = await readFile(source);
  const middle = Math.floor(plain.length / 2) + 77;
  const half = `${target}-half`;
  const streams: Uint8Array[] = [];
  for (const part of [plain.subarray(0, middle), plain.subarray(middle)]) {
    await writeFile(half, part);
    await compressor.compress(half, target);
    streams.push(await readFile(target));
  }
  await rm(half);
  return Buffer.concat(streams);
}

/** The stream with a modification time and the fields that `flags` names, in the RFC's order. */
function withFields(stream: Buffer, flags: number): Uint8Array {
  if (stream[FLAGS_OFFSET] !== 0) throw new Error(`header has fields: ${stream[FLAGS_OFFSET]}`);
  const header = Buffer.from(stream.subarray(0, HEADER_SIZE));
  header[FLAGS_OFFSET] = flags;
  header.writeUInt32LE(MTIME, MTIME_OFFSET);
  const parts: Buffer[] = [header];
  if ((flags & FLAG_EXTRA) !== 0) parts.push(extraField('MI', Buffer.from('an extra field')));
  if ((flags & FLAG_NAME) !== 0) parts.push(Buffer.from('layer-\u00e9.tar\0', 'latin1'));
  if ((flags & FLAG_COMMENT) !== 0) parts.push(Buffer.from('a comment\nof two lines\0', 'latin1'));
  if ((flags & FLAG_HEADER_CRC) !== 0) parts.push(littleEndian16(crc32(Buffer.concat(parts))));
  return Buffer.concat([...parts, stream.subarray(HEADER_SIZE)]);
}

/** All extra fields with one subfield (RFC 1952 §2.3.1.1). */
function extraField(id: string, data: Buffer): Buffer {
  const subfield = Buffer.concat([Buffer.from(id, 'latin1'), littleEndian16(data.length), data]);
  return Buffer.concat([littleEndian16(subfield.length), subfield]);
}

function littleEndian16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value & 0xffff);
  return bytes;
}
