// Streams of the corpus: each layer by each compressor, kept, and proven to hold the layer.

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { CACHE_FOLDER, hashFile, makeOnce } from './cache.ts';
import type { Compressor } from './compressor.ts';
import type { Layer } from './layer.ts';
import { runProgram } from './program.ts';

export interface Stream {
  readonly layer: Layer;
  readonly compressor: Compressor;
  /** Path of the stream. */
  readonly file: string;
  /** Bytes of the stream. */
  readonly length: number;
}

export interface MakeStreamsOptions {
  readonly layers: readonly Layer[];
  readonly compressors: readonly Compressor[];
  /** Where streams go, as `LAYER-SIZE-DIGEST/COMPRESSOR.gz`; without it into the cache. */
  readonly folder?: string;
  /** Streams made at the same time; without it one for each core. */
  readonly jobs?: number;
  onMade?(stream: Stream, made: number, total: number): void;
}

/** Bytes of the layers that slow compressors still get. */
const MAX_SLOW_LENGTH = 1_500_000;

/** Makes the streams that are not there; gives all, layer by layer. */
export async function makeStreams(options: MakeStreamsOptions): Promise<readonly Stream[]> {
  const wanted = options.layers.flatMap((layer) =>
    options.compressors
      .filter((compressor) => !compressor.isSlow || layer.length <= MAX_SLOW_LENGTH)
      .map((compressor) => ({ layer, compressor })),
  );
  const streams = new Map<number, Stream>();
  let next = 0;
  const work = async (): Promise<void> => {
    for (let index = next++; index < wanted.length; index = next++) {
      const one = wanted[index];
      if (one === undefined) return;
      const stream = await makeStream(one.layer, one.compressor, options.folder);
      streams.set(index, stream);
      options.onMade?.(stream, streams.size, wanted.length);
    }
  };
  const jobs = options.jobs ?? availableParallelism();
  await Promise.all(Array.from({ length: jobs }, work));
  return [...streams].sort(([a], [b]) => a - b).map(([, stream]) => stream);
}

/** Makes one stream unless it is there. */
export async function makeStream(
  layer: Layer,
  compressor: Compressor,
  folder: string = join(CACHE_FOLDER, 'streams'),
): Promise<Stream> {
  const below = `${layer.name}-${layer.size}-${layer.digest.slice(0, 12)}`;
  const extension = compressor.format === 'gzip' ? 'gz' : 'zst';
  const path = join(folder, below, `${compressor.name}.${extension}`);
  const file = await makeOnce(path, async (part) => {
    await compressor.compress(layer.file, part);
    const digest = await hashPlain(part, compressor);
    if (digest === layer.digest) return;
    throw new Error(`${compressor.name} of ${layer.name}: holds ${digest}, not ${layer.digest}`);
  });
  return { layer, compressor, file, length: (await stat(file)).size };
}

/** SHA-256 of a stream's plain text, in hex. */
async function hashPlain(file: string, compressor: Compressor): Promise<string> {
  if (compressor.format === 'zstd') {
    const plain = `${file}-plain`;
    await runProgram(['zstd', '-q', '-d', '-f', file, '-o', plain]);
    try {
      return await hashFile(plain);
    } finally {
      await rm(plain);
    }
  }
  const end = (await stat(file)).size - (compressor.trailingLength ?? 0) - 1;
  const hash = createHash('sha256');
  await pipeline(createReadStream(file, { end }), createGunzip(), hash);
  return hash.digest('hex');
}
