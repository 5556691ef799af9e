// Whether taking layers apart slows what is served meanwhile: a blob that is kept whole is asked for over
// and over, before, while, and after a server takes apart what it holds.
import { setTimeout as wait } from 'node:timers/promises';
import { runClient } from '../clients/client.ts';
import type { LoadOptions, LoadResult } from '../clients/load.ts';
import type { CorpusImage, CorpusLayer } from '../corpus/corpus-file.ts';
import { median } from '../lib/statistics.ts';
import { pullImages } from './fill-store.ts';
import { makeStoreFolder, removeFolder, type StoreContext } from './store-context.ts';
import { listLayers, pickNearest, sumSizes } from './store-corpus.ts';
import { type StoreServer, startStore } from './store-server.ts';

export interface HitsOptions {
  readonly rounds: number;
  readonly seconds: number;
}

export interface HitsResult {
  readonly connections: number;
  /** Bytes of the blob. */
  readonly size: number;
  /** Medians of the rounds; NaN when no round was within the time. */
  readonly quiet: HitsRate;
  readonly busy: HitsRate;
  /** Rounds for which layers were taken apart from beginning to end. */
  readonly busyRounds: number;
  /** Rate with layers being taken apart ÷ without. */
  readonly rateRatio: number;
}

export interface HitsRate {
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** One client, and as many as in `hot`. */
const connectionCounts = [1, 16];

const wantedBlob = 2 ** 20;

/** Compressed bytes that are taken apart meanwhile: a minute or two of work on two cores. */
const wantedWork = 600e6;

/** Layers that small are not taken apart by default. */
const smallest = 4096;

/** Until a server that was started looks at what it holds. */
const beginTimeoutMs = 60_000;
const pollMs = 100;

/** By number of connections. */
type Loads = ReadonlyMap<number, LoadResult[]>;

interface Target {
  readonly blob: CorpusLayer;
  readonly image: CorpusImage;
}

export async function measureHits(
  context: StoreContext,
  options: HitsOptions,
): Promise<readonly HitsResult[]> {
  const { bench, corpus, upstream, wrong } = context;
  const target = pickTarget(corpus.images);
  if (target === undefined) {
    return [];
  }
  const images = pickImages([target.image, ...corpus.images]);
  const folder = await makeStoreFolder(bench, 'hits');
  const start = (mode: 'off' | 'b1'): Promise<StoreServer> =>
    startStore(bench, { folder, upstream: upstream.url, mode });
  const quiet = makeLoads();
  const loadQuietly = async (server: StoreServer): Promise<void> => {
    bench.say('hits while nothing is taken apart');
    for (let round = 0; round < options.rounds; round += 1) {
      await loadOnce(context, server, target, options.seconds, quiet);
    }
  };
  const whole = await start('off');
  wrong.push(...(await pullImages(bench, whole, corpus.folder, images)).wrong);
  await loadQuietly(whole);
  await whole.stop();
  const server = await start('b1');
  const layers = listLayers(images).filter(({ size }) => size >= smallest).length;
  const busy = await loadBusily(context, server, { target, layers, ...options });
  await server.settle();
  await loadQuietly(server);
  await server.stop();
  await removeFolder(folder);
  return connectionCounts.map((connections) => {
    const calm = summarize(quiet.get(connections) ?? []);
    const working = summarize(busy.get(connections) ?? []);
    const rateRatio = working.requestsPerSecond / calm.requestsPerSecond;
    const busyRounds = busy.get(connections)?.length ?? 0;
    return {
      connections,
      size: target.blob.size,
      quiet: calm,
      busy: working,
      busyRounds,
      rateRatio,
    };
  });
}

/** The first ones, each once, that together are enough work. */
function pickImages(images: readonly CorpusImage[]): readonly CorpusImage[] {
  const picked: CorpusImage[] = [];
  for (const image of new Set(images)) {
    if (sumSizes(listLayers(picked)) < wantedWork) {
      picked.push(image);
    }
  }
  return picked;
}

function pickTarget(images: readonly CorpusImage[]): Target | undefined {
  const blob = pickNearest(listLayers(images), ({ size }) => size, wantedBlob);
  const image = images.find(({ layers }) => layers.some(({ digest }) => digest === blob?.digest));
  return blob === undefined || image === undefined ? undefined : { blob, image };
}

interface BusyOptions extends HitsOptions {
  readonly target: Target;
  /** That the server has to take apart. */
  readonly layers: number;
}

/** Rounds through which the server takes layers apart from beginning to end. */
async function loadBusily(
  context: StoreContext,
  server: StoreServer,
  { target, layers, rounds, seconds }: BusyOptions,
): Promise<Loads> {
  context.bench.say('hits while layers are taken apart');
  const busy = makeLoads();
  const isWorking = async (): Promise<boolean> => (await server.readStats()).ingested < layers;
  await untilBegun(server);
  for (let round = 0; round < rounds && (await isWorking()); round += 1) {
    const tried = makeLoads();
    await loadOnce(context, server, target, seconds, tried);
    if (await isWorking()) {
      for (const [connections, results] of tried) {
        busy.get(connections)?.push(...results);
      }
    }
  }
  return busy;
}

async function untilBegun(server: StoreServer): Promise<void> {
  const deadline = performance.now() + beginTimeoutMs;
  while ((await server.readStats()).ingested === 0) {
    if (performance.now() > deadline) {
      throw new Error('no layer is taken apart');
    }
    await wait(pollMs);
  }
}

function makeLoads(): Loads {
  return new Map(connectionCounts.map((connections) => [connections, []]));
}

async function loadOnce(
  { bench, wrong }: StoreContext,
  server: StoreServer,
  { blob, image }: Target,
  seconds: number,
  loads: Loads,
): Promise<void> {
  const url = `${server.url}/v2/${image.repository}/blobs/${blob.digest}`;
  for (const [connections, results] of loads) {
    const options = { url, connections, seconds, accept: '*/*', size: blob.size };
    const result = await runClient<LoadOptions, LoadResult>('blob-load', options, bench);
    results.push(result);
    if (result.wrong > 0) {
      wrong.push(`mica: ${result.wrong} wrong answers while layers were taken apart`);
    }
  }
}

function summarize(loads: readonly LoadResult[]): HitsRate {
  const middle = (pick: (load: LoadResult) => number): number => median(loads.map(pick));
  return {
    requestsPerSecond: middle((load) => load.requestsPerSecond),
    p50Ms: middle((load) => load.p50Ms),
    p99Ms: middle((load) => load.p99Ms),
  };
}
