// Makes a layer again, in a process of its own.
import { createHash } from 'node:crypto';
import { readOptions, writeResult } from '../../clients/client.ts';
import { startPeakMemory } from '../../lib/peak-memory.ts';
import { startStopwatch, type Times } from '../../lib/stopwatch.ts';
import { type KeptLayer, openKeptLayer } from '../kept-layer.ts';
import { loadNativeCore } from '../load-native-core.ts';

export interface RestoreJob {
  readonly kept: KeptLayer;
  /** Bytes of the layer. */
  readonly size: number;
  readonly workers: number;
  /**
   * `afterwards` keeps the layer, in memory that is there before, and hashes it when the time is taken:
   * neither is part of making it. `meanwhile` hashes each piece and lets it go: then the memory is the core's.
   */
  readonly hash: 'afterwards' | 'meanwhile';
}

export interface RestoreJobResult {
  readonly times: Times;
  /** Until there was a first byte, from before the recipe was opened. */
  readonly firstByteMs: number;
  /** Bytes. */
  readonly memoryGrowth: number;
  readonly digest: string;
}

const { kept, size, workers, hash } = readOptions<RestoreJob>();
const core = await loadNativeCore(workers);
const sha256 = createHash('sha256');
// Filled, as the system gives memory only when it is written to.
const layer = Buffer.alloc(hash === 'afterwards' ? size : 0, 1);
let length = 0;
const take = (piece: Uint8Array): void => {
  if (hash === 'meanwhile') {
    sha256.update(piece);
  } else {
    layer.set(piece, length);
    length += piece.length;
  }
};
const readGrowth = startPeakMemory();
const stop = startStopwatch();
const restoration = await openKeptLayer(core, kept);
let firstByteMs = Number.NaN;
for await (const piece of restoration.read()) {
  if (Number.isNaN(firstByteMs)) {
    firstByteMs = stop().wallSeconds * 1e3;
  }
  take(piece);
}
const times = stop();
const memoryGrowth = readGrowth();
sha256.update(layer.subarray(0, length));
const digest = `sha256:${sha256.digest('hex')}`;
const result: RestoreJobResult = { times, firstByteMs, memoryGrowth, digest };
writeResult(result);
