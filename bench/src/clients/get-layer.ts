// Asks for one layer and times its first and its last byte. It is hashed, and its tar measured, when the
// time has been taken.
import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { request } from 'undici';
import { readOptions, writeResult } from './client.ts';

export interface GetLayerOptions {
  readonly url: string;
  readonly digest: string;
}

export interface GetLayerResult {
  /** From before the connection is opened. */
  readonly firstByteMs: number;
  readonly seconds: number;
  /** Bytes of its tar. */
  readonly tarSize: number;
  readonly wrong: readonly string[];
}

async function get({ url, digest }: GetLayerOptions): Promise<GetLayerResult> {
  const startedAt = performance.now();
  const { statusCode, body } = await request(url);
  const pieces: Buffer[] = [];
  let firstByteMs = Number.NaN;
  for await (const piece of body) {
    if (pieces.length === 0) {
      firstByteMs = performance.now() - startedAt;
    }
    pieces.push(piece);
  }
  const seconds = (performance.now() - startedAt) / 1e3;
  const layer = Buffer.concat(pieces);
  const got = `sha256:${createHash('sha256').update(layer).digest('hex')}`;
  if (statusCode !== 200 || got !== digest) {
    const wrong = [`${url}: status ${statusCode}, ${got}, not ${digest}`];
    return { firstByteMs, seconds, tarSize: 0, wrong };
  }
  return { firstByteMs, seconds, tarSize: gunzipSync(layer).length, wrong: [] };
}

writeResult(await get(readOptions<GetLayerOptions>()));
