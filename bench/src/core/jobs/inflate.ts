// Inflates a layer and hashes both it and its tar with Node's zlib and OpenSSL, in a process of its
// own: what taking a layer apart cannot do without.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { readOptions, writeResult } from '../../clients/client.ts';
import { startStopwatch, type Times } from '../../lib/stopwatch.ts';

export interface InflateJob {
  /** Path of the layer. */
  readonly layer: string;
}

export interface InflateJobResult {
  readonly times: Times;
  readonly digest: string;
  readonly diffId: string;
}

/** Bytes read, and given by zlib, at once. */
const pieceSize = 256 * 1024;

const { layer } = readOptions<InflateJob>();
const layerHash = createHash('sha256');
const tarHash = createHash('sha256');
const stop = startStopwatch();
const source = createReadStream(layer, { highWaterMark: pieceSize });
source.on('data', (piece) => layerHash.update(piece));
for await (const piece of source.pipe(createGunzip({ chunkSize: pieceSize }))) {
  tarHash.update(piece);
}
const digest = `sha256:${layerHash.digest('hex')}`;
const diffId = `sha256:${tarHash.digest('hex')}`;
const result: InflateJobResult = { times: stop(), digest, diffId };
writeResult(result);
