// Takes layers apart one after another by the proxy's own code, proof included, over a data folder with
// packs, recipes and index, in a process of its own: so that its processor time is that of the work.
import { nodeRuntime } from 'mica/dist/src/adapter/node/runtime.js';
import { ingestLayer } from 'mica/dist/src/dedup/ingest-layer.js';
import { openPackStore } from 'mica/dist/src/dedup/pack-store.js';
import { openRecipeStore } from 'mica/dist/src/dedup/recipe-store.js';
import { parseDigest } from 'mica/dist/src/oci/digest.js';
import { openDataFolder } from 'mica/dist/src/store/data-folder.js';
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
}

const job = await readJob<IngestLayersJob>();
const runtime = nodeRuntime();
const core = await loadNativeCore();
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
  const stop = startStopwatch();
  const outcome = await ingestLayer(parts, options);
  const times = stop();
  results.push(
    outcome.kind === 'recipe'
      ? {
          ...{ times, outcome: 'recipe', tarSize: outcome.record.tarSize },
          compressor: outcome.record.compressor ?? 'none',
        }
      : {
          ...{ times, compressor: 'none', tarSize: 0 },
          outcome: outcome.kind === 'whole' ? outcome.reason : outcome.kind,
        },
  );
}
await folder.close();
writeResult(results);
process.exit(0);
