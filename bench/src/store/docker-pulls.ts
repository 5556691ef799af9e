// An image pulled by Docker's engine through a Mica that has it whole, and through one that has only
// recipes of its layers. The engine checks every digest, and unpacks, as nodes do.
import { join } from 'node:path';
import type { CorpusImage } from '../corpus/corpus-file.ts';
import { median, rotate } from '../lib/statistics.ts';
import { type Dockerd, hasDockerd, startDockerd } from './dockerd.ts';
import { pullImages } from './fill-store.ts';
import { makeStoreFolder, removeFolder, type StoreContext } from './store-context.ts';
import { listLayers, pickNearest, sumSizes } from './store-corpus.ts';
import { type StoreMode, type StoreServer, startStore } from './store-server.ts';

export interface DockerPullResult {
  readonly image: string;
  /** Bytes of its layers, compressed. */
  readonly compressed: number;
  readonly way: 'whole' | 'recipes';
  /** Median of the rounds, and all of them. */
  readonly seconds: number;
  readonly all: readonly number[];
  /** Layers that were made again in a round. */
  readonly restored: number;
}

/** Compressed bytes of the image: a runtime with an application in it. */
const wantedSize = 150e6;

interface Way {
  readonly name: DockerPullResult['way'];
  readonly server: StoreServer;
  readonly engine: Dockerd;
  readonly seconds: number[];
}

export async function measureDockerPulls(
  context: StoreContext,
  rounds: number,
): Promise<readonly DockerPullResult[]> {
  const { bench, corpus } = context;
  const sizeOf = (image: CorpusImage): number => sumSizes(listLayers([image]));
  const image = pickNearest(corpus.images, sizeOf, wantedSize);
  if (image === undefined || !hasDockerd()) {
    bench.say('no pulls by Docker: they need an image, dockerd, docker, and root');
    return [];
  }
  const folder = await makeStoreFolder(bench, 'docker');
  const ways = [
    await startWay(context, image, join(folder, 'whole'), 'off'),
    await startWay(context, image, join(folder, 'recipes'), 'b0'),
  ];
  const name = `${image.repository}:${image.tag}`;
  for (let round = 0; round < rounds; round += 1) {
    for (const way of rotate(ways, round)) {
      bench.say(`docker pull of ${name}, ${way.name}: round ${round + 1} of ${rounds}`);
      way.seconds.push(await way.engine.pull(name));
      await checkImage(context, way, name, image);
      await way.engine.remove(name);
    }
  }
  const results = await Promise.all(ways.map((way) => summarize(context, way, image)));
  for (const { engine, server } of ways) {
    await engine.stop();
    await server.stop();
  }
  await removeFolder(folder);
  return results;
}

async function startWay(
  { bench, corpus, upstream, wrong }: StoreContext,
  image: CorpusImage,
  folder: string,
  mode: StoreMode,
): Promise<Way> {
  const server = await startStore(bench, { folder, upstream: upstream.url, mode });
  wrong.push(...(await pullImages(bench, server, corpus.folder, [image])).wrong);
  await server.settle();
  const engine = await startDockerd({
    ...{ folder: join(folder, 'dockerd'), name: 'dockerd', mirror: server.url },
    cleanup: bench.cleanup,
  });
  return { name: mode === 'off' ? 'whole' : 'recipes', server, engine, seconds: [] };
}

/** The engine has as many layers as the image, each with the DiffID that the config says. */
async function checkImage(
  { wrong }: StoreContext,
  { engine, name: way }: Way,
  name: string,
  image: CorpusImage,
): Promise<void> {
  const { length } = await engine.readDiffIds(name);
  if (length !== image.layers.length) {
    wrong.push(`docker pull, ${way}: ${length} layers, not ${image.layers.length}`);
  }
}

async function summarize(
  { checked }: StoreContext,
  { name, server, seconds }: Way,
  image: CorpusImage,
): Promise<DockerPullResult> {
  const { restores } = await server.readStats();
  checked.layers += restores;
  return {
    image: `${image.repository}:${image.tag}`,
    compressed: sumSizes(listLayers([image])),
    way: name,
    ...{ seconds: median(seconds), all: seconds },
    restored: Math.round(restores / seconds.length),
  };
}
