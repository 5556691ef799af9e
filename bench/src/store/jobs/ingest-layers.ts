// Takes layers apart one after another by the proxy's own code, proof included, over a data folder with
// packs, recipes and index, in a process of its own: so that its processor time is that of the work.
import { nodeRuntime } from 'mica/dist/src/adapter/node/runtime.js';
import { ingestLayer } from 'mica/dist/src/dedup/ingest-layer.js';
import { openPackStore } from 'mica/dist/src/dedup/pack-store.js';
import { openRecipeStore } from 'mica/dist/src/dedup/recipe-store.js';
import { parseDigest } from 'mica/dist/src/oci/digest.js';
import { openDataFolder } from 'mica/dist/src/store/data-folder.js';
import type { Core } from 'mica-core/core';
import { writeResult } from '../../clients/client.ts';
import { loadNativeCore } from '../../core/load-native-core.ts';
import { startStopwatch, type Times } from '../../lib/stopwatch.ts';
import { readJob } from './job-file.ts';

export interface IngestLayersJob {
  readonly layers: readonly { readonly digest: string; readonly path: string }[];
  /** The data folder; empty. */
  readonly data: string;
}

export interface IngestedLayerTimes {
  readonly times: Times;
  /** `recipe`, or why the layer stays whole. */
  readonly outcome: string;
  /** Whose model makes the layer. */
  readonly compressor: string;
  /** Bytes; 0 for a layer that stays whole. */
  readonly tarSize: number;
  /** Of the processor time: making the recipe, and compressing the files that are new meanwhile. */
  readonly takeApartSeconds: number;
  /** Of the processor time: reading the layer again for files too large for that. */
  readonly secondPassSeconds: number;
}

type Stage = 'ingest' | 'packFiles';

/** A core that adds up the processor time of two of its functions; nothing else runs meanwhile. */
function timeStages(core: Core, seconds: Record<Stage, number>): Core {
  const time = async <T>(stage: Stage, work: () => Promise<T>): Promise<T> => {
    const stop = startStopwatch();
    const result = await work();
    seconds[stage] += stop().processorSeconds;
    return result;
  };
  return new Proxy(core, {
    get: (target, key) => {
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== 'function') {
        return value;
      }
      const call = value.bind(target);
      return key === 'ingest' || key === 'packFiles'
        ? (...values: unknown[]) => time(key, () => call(...values))
        : call;
    },
  });
}

const job = await readJob<IngestLayersJob>();
const runtime = nodeRuntime();
const seconds = { ingest: 0, packFiles: 0 };
const core = timeStages(await loadNativeCore(), seconds);
const folder = await openDataFolder({ path: job.data, runtime });
const parts = {
  core,
  index: folder.files,
  packs: await openPackStore(job.data, runtime.files),
  recipes: await openRecipeStore(job.data, runtime),
  clock: runtime.clock,
};
const results: IngestedLayerTimes[] = [];
for (const { digest, path } of job.layers) {
  const { signal } = new AbortController();
  const options = { digest: parseDigest(digest), path, packOwner: 'bench', signal };
  seconds.ingest = 0;
  seconds.packFiles = 0;
  const stop = startStopwatch();
  const outcome = await ingestLayer(parts, options);
  const times = stop();
  const stages = { takeApartSeconds: seconds.ingest, secondPassSeconds: seconds.packFiles };
  results.push(
    outcome.kind === 'recipe'
      ? {
          ...{ times, ...stages, outcome: 'recipe', tarSize: outcome.record.tarSize },
          compressor: outcome.record.compressor ?? 'none',
        }
      : {
          ...{ times, ...stages, compressor: 'none', tarSize: 0 },
          outcome: outcome.kind === 'whole' ? outcome.reason : outcome.kind,
        },
  );
}
await folder.close();
writeResult(results);
process.exit(0);
