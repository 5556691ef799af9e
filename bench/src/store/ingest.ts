// How fast layers are taken apart, proof included, by whose compressor made them.
import { join } from 'node:path';
import { blobFile, type CorpusLayer } from '../corpus/corpus-file.ts';
import type { IngestedLayerTimes, IngestLayersJob } from './jobs/ingest-layers.ts';
import { runStoreJob } from './run-store-job.ts';
import { makeStoreFolder, removeFolder, type StoreContext } from './store-context.ts';
import { listLayers, sumSizes } from './store-corpus.ts';

export interface IngestResult {
  readonly compressor: string;
  readonly layers: number;
  /** Bytes of tar. */
  readonly tarSize: number;
  /** Bytes of tar, by the clock. */
  readonly bytesPerSecond: number;
  /** Bytes of tar a second of processor time, all threads. */
  readonly bytesPerProcessorSecond: number;
  /** Shares of the processor time. */
  readonly takeApartShare: number;
  readonly secondPassShare: number;
}

/** Compressed bytes of the layers of each tool that are taken apart, at most but for the last layer. */
const toolSize = 300e6;

/** Layers whose search for the compressor is most of the work say nothing about a rate. */
const smallest = 1e6;

export async function measureIngest(context: StoreContext): Promise<readonly IngestResult[]> {
  const { bench, corpus } = context;
  const layers = pickLayers(context);
  const folder = await makeStoreFolder(bench, 'ingest');
  bench.say(`taking ${layers.length} layers apart`);
  const job: IngestLayersJob = {
    layers: layers.map(({ digest }) => ({ digest, path: blobFile(corpus.folder, digest) })),
    data: join(folder, 'data'),
  };
  const run = runStoreJob<IngestLayersJob, readonly IngestedLayerTimes[]>;
  const ingested = await run(bench, 'ingest-layers', job);
  await removeFolder(folder);
  context.wrong.push(
    ...ingested.filter(({ outcome }) => outcome === 'damaged').map(() => 'a layer is damaged'),
  );
  const taken = ingested.filter(({ outcome }) => outcome === 'recipe');
  const compressors = new Set(taken.map(({ compressor }) => compressor));
  return [...compressors].map((compressor) =>
    summarize(
      compressor,
      taken.filter((one) => one.compressor === compressor),
    ),
  );
}

/** Some of each tool, in the order of the corpus, so that later ones share files with earlier ones. */
function pickLayers({ corpus: { images } }: StoreContext): readonly CorpusLayer[] {
  const tools = new Set(images.map(({ tool }) => tool));
  const picked = [...tools].flatMap((tool) => {
    const all = listLayers(images.filter((image) => image.tool === tool));
    const layers = all.filter(({ size }) => size >= smallest);
    const every = Math.max(1, Math.round(sumSizes(layers) / toolSize));
    return layers.filter((_, index) => index % every === 0);
  });
  return [...new Map(picked.map((layer) => [layer.digest, layer])).values()];
}

function summarize(compressor: string, group: readonly IngestedLayerTimes[]): IngestResult {
  const sum = (pick: (one: IngestedLayerTimes) => number): number =>
    group.reduce((total, one) => total + pick(one), 0);
  const tarSize = sum((one) => one.tarSize);
  const processorSeconds = sum(({ times }) => times.processorSeconds);
  return {
    ...{ compressor, layers: group.length, tarSize },
    bytesPerSecond: tarSize / sum(({ times }) => times.wallSeconds),
    bytesPerProcessorSecond: tarSize / processorSeconds,
    takeApartShare: sum(({ takeApartSeconds }) => takeApartSeconds) / processorSeconds,
    secondPassShare: sum(({ secondPassSeconds }) => secondPassSeconds) / processorSeconds,
  };
}
