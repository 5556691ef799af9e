// Makes single ranges of a layer again, each as if it were the only one, in a process of its own.
import { open } from 'node:fs/promises';
import { readOptions, writeResult } from '../../clients/client.ts';
import { startStopwatch } from '../../lib/stopwatch.ts';
import { type KeptLayer, openKeptLayer } from '../kept-layer.ts';
import { loadNativeCore } from '../load-native-core.ts';

export interface RangesJob {
  readonly kept: KeptLayer;
  /** Path of the layer, to compare with. */
  readonly layer: string;
  readonly workers: number;
  /** First bytes of the ranges. */
  readonly starts: readonly number[];
  /** Bytes of each range. */
  readonly length: number;
}

export interface RangesJobResult {
  /** From before the recipe was opened to the last byte, one for each range. */
  readonly ms: readonly number[];
  readonly wrong: readonly string[];
}

const { kept, layer, workers, starts, length } = readOptions<RangesJob>();
const core = await loadNativeCore(workers);
const file = await open(layer);
const ms: number[] = [];
const wrong: string[] = [];
for (const start of starts) {
  const pieces: Uint8Array[] = [];
  const stop = startStopwatch();
  const restoration = await openKeptLayer(core, kept);
  for await (const piece of restoration.read({ start, end: start + length })) {
    pieces.push(piece.slice());
  }
  ms.push(stop().wallSeconds * 1e3);
  const { bytesRead, buffer } = await file.read(Buffer.alloc(length), 0, length, start);
  if (!Buffer.concat(pieces).equals(buffer.subarray(0, bytesRead))) {
    wrong.push(`range of ${length} bytes from ${start} differs`);
  }
}
await file.close();
const result: RangesJobResult = { ms, wrong };
writeResult(result);
