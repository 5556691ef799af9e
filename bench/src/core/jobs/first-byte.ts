// Opens a layer that is to be made again and waits for its first bytes, in a process of its own.
import { open } from 'node:fs/promises';
import { readOptions, writeResult } from '../../clients/client.ts';
import { startStopwatch } from '../../lib/stopwatch.ts';
import { type KeptLayer, openKeptLayer } from '../kept-layer.ts';
import { loadNativeCore } from '../load-native-core.ts';

export interface FirstByteJob {
  readonly kept: KeptLayer;
  /** Path of the layer, to compare with. */
  readonly layer: string;
  readonly workers: number;
}

export interface FirstByteJobResult {
  /** From before the recipe was opened. */
  readonly ms: number;
  readonly isRight: boolean;
}

const { kept, layer, workers } = readOptions<FirstByteJob>();
const core = await loadNativeCore(workers);
const stop = startStopwatch();
const restoration = await openKeptLayer(core, kept);
let ms = Number.NaN;
let first: Uint8Array = new Uint8Array();
for await (const piece of restoration.read()) {
  ms = stop().wallSeconds * 1e3;
  first = piece;
  break;
}
const file = await open(layer);
const { buffer } = await file.read(Buffer.alloc(first.length), 0, first.length, 0);
await file.close();
const result: FirstByteJobResult = { ms, isRight: first.length > 0 && buffer.equals(first) };
writeResult(result);
