// A layer that is only a recipe, asked for with nothing warm: the server was just started, and what is
// on the disk is not in the system's cache.
import { join } from 'node:path';
import { runClient } from '../clients/client.ts';
import type { GetLayerOptions, GetLayerResult } from '../clients/get-layer.ts';
import type { CorpusImage, CorpusLayer } from '../corpus/corpus-file.ts';
import { readProcessorSeconds } from '../lib/processor-time.ts';
import { median } from '../lib/statistics.ts';
import { forgetFolder } from './disk.ts';
import type { StoreContext } from './store-context.ts';
import { pickNearest } from './store-corpus.ts';
import { startStore } from './store-server.ts';

/** Compressed bytes of the layer whose rate the aim is for. */
export const wantedSize = 30e6;

/** Layers measured beside it: the smallest, those at these shares of all by size, the largest. */
const shares = [0, 0.25, 0.5, 0.75, 1];

export interface RestoreResult {
  readonly layer: string;
  /** Bytes, compressed. */
  readonly size: number;
  /** Bytes of its tar. */
  readonly tarSize: number;
  /** Medians of the rounds. */
  readonly firstByteMs: number;
  readonly seconds: number;
  /** Processor time of the server; counted in steps of 10 ms. */
  readonly processorSeconds: number;
  /** Bytes of tar. */
  readonly bytesPerSecond: number;
  /** Whether it is the one nearest to the wanted size. */
  readonly isWanted: boolean;
}

/** Layers that small stay whole by default. */
const smallest = 4096;

interface Wanted {
  readonly layer: CorpusLayer;
  readonly image: CorpusImage;
  readonly isWanted: boolean;
}

export async function measureRestores(
  context: StoreContext,
  rounds: number,
): Promise<readonly RestoreResult[]> {
  const folder = await context.getRecipes();
  const results: RestoreResult[] = [];
  for (const wanted of pickLayers(context)) {
    const { layer, image, isWanted } = wanted;
    const name = `${image.repository}:${image.tag}, ${layer.digest.slice(7, 19)}`;
    const all: ColdGet[] = [];
    for (let round = 0; round < rounds; round += 1) {
      context.bench.say(`cold GET of ${name}: round ${round + 1} of ${rounds}`);
      all.push(await getCold(context, folder, wanted));
    }
    const tarSize = all[0]?.tarSize ?? 0;
    const seconds = median(all.map((one) => one.seconds));
    results.push({
      ...{ layer: name, size: layer.size, tarSize, seconds, isWanted },
      firstByteMs: median(all.map((one) => one.firstByteMs)),
      processorSeconds: median(all.map((one) => one.processorSeconds)),
      bytesPerSecond: tarSize / seconds,
    });
  }
  return results;
}

function pickLayers({ corpus }: StoreContext): readonly Wanted[] {
  const sorted = corpus.layers
    .filter(({ size }) => size >= smallest)
    .toSorted((one, other) => one.size - other.size);
  const nearest = pickNearest(sorted, ({ size }) => size, wantedSize);
  const picked = shares.map((share) => sorted[Math.round(share * (sorted.length - 1))]);
  const layers = new Set([nearest, ...picked].filter((layer) => layer !== undefined));
  return [...layers].flatMap((layer) => {
    const image = corpus.images.find((one) =>
      one.layers.some(({ digest }) => digest === layer.digest),
    );
    return image === undefined ? [] : [{ layer, image, isWanted: layer === nearest }];
  });
}

interface ColdGet extends GetLayerResult {
  readonly processorSeconds: number;
}

async function getCold(
  { bench, upstream, wrong, checked }: StoreContext,
  folder: string,
  { layer, image }: Wanted,
): Promise<ColdGet> {
  await forgetFolder(join(folder, 'data'));
  const server = await startStore(bench, { folder, upstream: upstream.url, mode: 'b0' });
  const url = `${server.url}/v2/${image.repository}/blobs/${layer.digest}`;
  const options = { url, digest: layer.digest, size: layer.size };
  const before = readProcessorSeconds(server.pid);
  const got = await runClient<GetLayerOptions, GetLayerResult>('get-layer', options, bench);
  const result = { ...got, processorSeconds: readProcessorSeconds(server.pid) - before };
  const { restores } = await server.readStats();
  await server.stop();
  wrong.push(...result.wrong.map((problem) => `mica: ${problem}`));
  // A layer that stayed whole is no measure of restoring.
  if (restores === 0) {
    return { ...result, firstByteMs: Number.NaN, seconds: Number.NaN };
  }
  checked.layers += 1;
  return result;
}
