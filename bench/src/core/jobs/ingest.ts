// Takes a layer apart, in a process of its own.
import { readOptions, writeResult } from '../../clients/client.ts';
import { startPeakMemory } from '../../lib/peak-memory.ts';
import { startStopwatch, type Times } from '../../lib/stopwatch.ts';
import { loadNativeCore } from '../load-native-core.ts';

export interface IngestJob {
  /** Path of the layer. */
  readonly layer: string;
  /** Path of the recipe that is made. */
  readonly recipe: string;
  readonly workers: number;
}

export interface IngestJobResult {
  readonly times: Times;
  /** Bytes. */
  readonly memoryGrowth: number;
  readonly digest: string;
  readonly diffId: string;
}

const { layer, recipe, workers } = readOptions<IngestJob>();
const core = await loadNativeCore(workers);
const readGrowth = startPeakMemory();
const stop = startStopwatch();
const { summary } = await core.ingest(layer, { recipe });
const times = stop();
const { digest, diffId } = summary;
const result: IngestJobResult = { times, memoryGrowth: readGrowth(), digest, diffId };
writeResult(result);
