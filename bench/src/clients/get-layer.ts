// Asks for one layer and times its first and its last byte. It is hashed, and its tar measured, when the
// time has been taken.
import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { BodyReader } from './body-reader.ts';
import { readOptions, writeResult } from './client.ts';

export interface GetLayerOptions {
  readonly url: string;
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
}

export interface GetLayerResult {
  /** From before the connection is opened. */
  readonly firstByteMs: number;
  readonly seconds: number;
  /** Bytes of its tar. */
  readonly tarSize: number;
  readonly wrong: readonly string[];
}

interface Received {
  readonly layer: Buffer;
  readonly firstByteMs: number;
  readonly seconds: number;
}

function receive({ url, size }: GetLayerOptions): Promise<Received> {
  const layer = Buffer.alloc(size);
  const startedAt = performance.now();
  let firstByteMs = Number.NaN;
  return new Promise((resolve, reject) => {
    const reader = new BodyReader(
      { url, size, accept: '*/*' },
      {
        onPiece: (piece, position) => {
          if (position === 0 && piece.length > 0) {
            firstByteMs = performance.now() - startedAt;
          }
          piece.copy(layer, position);
        },
        onEnd: () => {
          reader.close();
          resolve({ layer, firstByteMs, seconds: (performance.now() - startedAt) / 1e3 });
        },
        onProblem: (problem) => reject(new Error(`${url}: ${problem}`)),
      },
    );
    reader.ask();
  });
}

async function get(options: GetLayerOptions): Promise<GetLayerResult> {
  const { layer, ...times } = await receive(options);
  const got = `sha256:${createHash('sha256').update(layer).digest('hex')}`;
  if (got !== options.digest) {
    return { ...times, tarSize: 0, wrong: [`${options.url}: ${got}, not ${options.digest}`] };
  }
  return { ...times, tarSize: gunzipSync(layer).length, wrong: [] };
}

writeResult(await get(readOptions<GetLayerOptions>()));
