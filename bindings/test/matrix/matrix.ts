// Every stream of a layer through the core, some at the same time.

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Core,
  FILE_ID_SIZE,
  type IngestedLayer,
  isCoreError,
  PLACE_SIZE,
  type Restoration,
} from '../../src/core.ts';
import { hashFile } from '../streams/cache.ts';
import type { Stream } from '../streams/streams.ts';
import { findModelFaults, type Maker, makersOf } from './expectations.ts';
import { takeApart } from './round-trip.ts';

/** What next to nothing is found in looks the same from all compressors. */
const NAMELESS_LAYER = 'incompressible';

/** Bytes of a gzip header without optional fields (RFC 1952 §2.3). */
const HEADER_SIZE = 10;

/** Takes all streams of one layer apart and makes them again; gives what is wrong, a line a stream. */
export async function checkStreams(
  core: Core,
  streams: readonly Stream[],
): Promise<readonly string[]> {
  const makers = await findMakers(streams);
  const queue = [...streams];
  const faults: string[] = [];
  const work = async (): Promise<void> => {
    for (let stream = queue.shift(); stream !== undefined; stream = queue.shift()) {
      const found = await inFolder((folder) => checkStream(core, stream, makers, folder));
      const { layer, compressor } = stream;
      if (found.length > 0)
        faults.push(`${layer.size} ${layer.name} by ${compressor.name}: ${found.join('; ')}`);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  return faults.sort((a, b) => (a < b ? -1 : 1));
}

/** Who makes each stream's bytes, by their digest without the header. */
type Makers = ReadonlyMap<string, readonly Maker[]>;

/** Some compressors make the same of a layer, small ones most of all: each of them is right. */
async function findMakers(streams: readonly Stream[]): Promise<Makers> {
  const makers = new Map<string, readonly Maker[]>();
  for (const stream of streams) {
    const found = makersOf(stream.compressor, stream.layer.length);
    if (found.length === 0) continue;
    const key = await bodyDigest(stream);
    makers.set(key, [...(makers.get(key) ?? []), ...found]);
  }
  return makers;
}

async function bodyDigest({ file }: Stream): Promise<string> {
  const hash = createHash('sha256');
  for await (const bytes of createReadStream(file, { start: HEADER_SIZE })) hash.update(bytes);
  return hash.digest('hex');
}

async function checkStream(
  core: Core,
  stream: Stream,
  makers: Makers,
  folder: string,
): Promise<readonly string[]> {
  try {
    if (stream.compressor.format === 'zstd') {
      const found = await core.ingest(stream.file, { recipe: join(folder, 'recipe') });
      if (found.inexact !== undefined) return await findInexactFaults(core, stream, found, folder);
    }
    const { ingested, restoration } = await takeApart(core, stream.file, folder);
    const named = stream.layer.name === NAMELESS_LAYER ? undefined : await bodyDigest(stream);
    return [
      ...(await findByteFaults(stream, restoration)),
      ...findModelFaults(stream.compressor, ingested, makers.get(named ?? '') ?? []),
    ];
  } catch (error) {
    return [String(error)];
  }
}

/** Whether a zstd stream stays whole for the right reason, and its files are known all the same. */
async function findInexactFaults(
  core: Core,
  { layer, compressor, file }: Stream,
  { inexact, summary }: IngestedLayer,
  folder: string,
): Promise<readonly string[]> {
  if (compressor.expected === 'model') return [`is not exact: ${inexact?.message}`];
  const recipe = join(folder, 'recipe');
  const faults: string[] = [];
  if (inexact?.code !== 'ZSTD_OTHER_COMPRESSOR') faults.push(`is not exact: ${inexact?.code}`);
  if (summary.diffId !== `sha256:${layer.digest}`) faults.push(`DiffID is ${summary.diffId}`);
  const packed = await core.packFiles(file, { recipe, pack: join(folder, 'pack') });
  const files = (await core.fileIds(recipe)).length / FILE_ID_SIZE;
  if (files !== summary.files || packed.files.length === 0) faults.push(`has ${files} files`);
  const places = new Uint8Array(files * PLACE_SIZE);
  const code = await core.openRestoration({ recipe, packs: [], places }).then(
    () => 'nothing',
    (error: unknown) => (isCoreError(error) ? error.code : String(error)),
  );
  if (code !== 'RESTORE_INEXACT') faults.push(`was rejected with ${code}`);
  return faults;
}

/** Whether the bytes are the stream's, as a whole and in part. */
async function findByteFaults(
  { layer, compressor, file }: Stream,
  restoration: Restoration,
): Promise<readonly string[]> {
  const faults: string[] = [];
  const expectSame = (what: string, found: unknown, expected: unknown): void => {
    if (found !== expected) faults.push(`${what} is ${found}, not ${expected}`);
  };
  const bytes = await readFile(file);
  const digest = await hashFile(file);
  const { summary } = restoration;
  expectSame('digest', summary.digest, `sha256:${digest}`);
  expectSame('DiffID', summary.diffId, `sha256:${layer.digest}`);
  expectSame('size', summary.size, bytes.length);
  expectSame('tar size', summary.tarSize, layer.length);
  const hash = createHash('sha256');
  for await (const piece of restoration.read()) hash.update(piece);
  expectSame('SHA-256 of what is restored', hash.digest('hex'), digest);
  const { start, end } = someRange(`${layer.name} ${compressor.name}`, bytes.length);
  const pieces: Uint8Array[] = [];
  for await (const piece of restoration.read({ start, end })) pieces.push(piece.slice());
  const isSame = Buffer.concat(pieces).equals(bytes.subarray(start, end));
  expectSame(`bytes ${start} to ${end}`, isSame ? 'right' : 'wrong', 'right');
  return faults;
}

/** A part of `size` bytes: another for each seed, always the same for one. */
function someRange(seed: string, size: number): { readonly start: number; readonly end: number } {
  const random = createHash('sha256').update(seed).digest();
  const start = random.readUInt32LE(0) % size;
  return { start, end: start + 1 + (random.readUInt32LE(4) % (size - start)) };
}

async function inFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'mica-matrix-'));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}
