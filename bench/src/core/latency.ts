// How long who asks for a kept layer waits: for its first byte, and for a range in the middle of it.

import { runProgram } from 'mica-core/streams/program';
import type { Bench } from '../lib/bench.ts';
import { percentile } from '../lib/statistics.ts';
import type { FirstByteJob, FirstByteJobResult } from './jobs/first-byte.ts';
import type { RangesJob, RangesJobResult } from './jobs/ranges.ts';
import { runJob } from './run-job.ts';
import type { SpeedStream } from './speed.ts';

/** The best of all rounds. */
export interface LatencyResult {
  readonly layer: string;
  readonly compressor: string;
  /** Bytes of the layer. */
  readonly size: number;
  /** Recipe and pack are in the system's cache, as after a recent use. */
  readonly firstByteMs: number;
  /** They are not; NaN if the system's cache cannot be emptied of them. */
  readonly coldFirstByteMs: number;
  /** Median of ranges from all over the layer. */
  readonly rangeMs: number;
}

export const rangeSize: number = 2 ** 20;
/** Where ranges begin, as shares of what of the layer they can begin in. */
const rangePlaces = [0.05, 0.275, 0.5, 0.725, 0.95];

/** Threads, as a server on two cores has them. */
const workers = 2;

export async function measureLatency(
  bench: Bench,
  one: SpeedStream,
  rounds: number,
): Promise<{ readonly result: LatencyResult; readonly wrong: readonly string[] }> {
  const { stream, kept } = one;
  const { cleanup } = bench;
  const wrong: string[] = [];
  const readFirstByte = async (): Promise<number> => {
    const job: FirstByteJob = { kept, layer: stream.file, workers };
    const result = await runJob<FirstByteJob, FirstByteJobResult>(cleanup, 'first-byte', job);
    if (!result.isRight) {
      wrong.push('the first piece differs');
    }
    return result.ms;
  };
  const readRanges = async (): Promise<number> => {
    const length = Math.min(rangeSize, stream.length);
    const starts = rangePlaces.map((place) => Math.floor((stream.length - length) * place));
    const job: RangesJob = { kept, layer: stream.file, workers, starts, length };
    const result = await runJob<RangesJob, RangesJobResult>(cleanup, 'ranges', job);
    wrong.push(...result.wrong);
    return percentile(result.ms, 0.5);
  };
  const [warm, cold, ranges]: [number[], number[], number[]] = [[], [], []];
  for (let round = 0; round < rounds; round += 1) {
    const isEmptied = await forgetFiles([kept.recipe, kept.pack, kept.places]);
    cold.push(isEmptied ? await readFirstByte() : Number.NaN);
    warm.push(await readFirstByte());
    ranges.push(await readRanges());
  }
  const [layer, compressor] = [stream.layer.name, stream.compressor.name];
  const result: LatencyResult = {
    ...{ layer, compressor, size: stream.length },
    firstByteMs: Math.min(...warm),
    coldFirstByteMs: Math.min(...cold),
    rangeMs: Math.min(...ranges),
  };
  return { result, wrong: wrong.map((problem) => `mica: ${layer}, ${compressor}: ${problem}`) };
}

/** Takes files out of the system's cache by `posix_fadvise`; false if there is no way. */
async function forgetFiles(files: readonly string[]): Promise<boolean> {
  try {
    for (const file of files) {
      // What was not written yet cannot be forgotten.
      await runProgram(['sync', file]);
      await runProgram(['dd', `if=${file}`, 'iflag=nocache', 'count=0', 'status=none']);
    }
    return true;
  } catch {
    return false; // Not GNU's dd.
  }
}
