// Makes a layer again, in a process of its own.
import { createHash } from 'node:crypto';
import { readOptions, writeResult } from '../../clients/client.ts';
import { startPeakMemory } from '../../lib/peak-memory.ts';
import { startStopwatch, type Times } from '../../lib/stopwatch.ts';
import { type KeptLayer, openKeptLayer } from '../kept-layer.ts';
import { loadNativeCore } from '../load-native-core.ts';

export interface RestoreJob {
  readonly kept: KeptLayer;
  readonly workers: number;
  /**
   * `afterwards` keeps the layer in memory and hashes it when the time is taken: hashing is not part
   * of making it. `meanwhile` hashes each piece and lets it go: then the memory is the core's.
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

const { kept, workers, hash } = readOptions<RestoreJob>();
const core = await loadNativeCore(workers);
const sha256 = createHash('sha256');
const pieces: Uint8Array[] = [];
const take = (piece: Uint8Array): void => {
  if (hash === 'meanwhile') {
    sha256.update(piece);
  } else {
    pieces.push(piece.slice());
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
for (const piece of pieces) {
  sha256.update(piece);
}
const digest = `sha256:${sha256.digest('hex')}`;
const result: RestoreJobResult = { times, firstByteMs, memoryGrowth, digest };
writeResult(result);
