// Nothing is cached: what it costs one client to pull through a mirror rather than straight from the
// upstream, over a slow link.
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { runClient } from '../clients/client.ts';
import type { PullOptions, PullResult } from '../clients/pull.ts';
import type { Bench, Outcome } from '../lib/bench.ts';
import { mebibyte } from '../lib/content.ts';
import { type Image, writeImage } from '../lib/image.ts';
import { type Link, openLink } from '../lib/link.ts';
import { median, rotate } from '../lib/statistics.ts';
import { ratio, seconds } from '../lib/table.ts';
import { startOrigin } from '../origin/start-origin.ts';
import { findDistribution } from '../peers/distribution.ts';
import { findMica } from '../peers/mica.ts';
import type { InstalledPeer } from '../peers/peer.ts';

export interface SlowLinkOptions {
  /** One way. */
  readonly delayMs: number;
  readonly megabitsPerSecond: number;
}

export interface ColdOptions extends SlowLinkOptions {
  readonly rounds: number;
}

/** Like a small image of a language's runtime: one big layer, some middling, many small ones. */
const layerSizes = [28, 12, 4, 1, 0.25, 0.125, 0.03125].map((size) => size * mebibyte);

/** Aim: pulling through Mica takes at most this many times the direct pull. */
const limit = 1.05;

interface ColdWay {
  readonly name: string;
  readonly peer?: InstalledPeer;
}

interface ColdResult {
  readonly way: string;
  readonly seconds: number;
  readonly timesDirect: number;
}

/** One pull with nothing cached; the server is started for it and stopped after it. */
async function pullOnce(
  bench: Bench,
  link: Link,
  upstream: string,
  image: Image,
  way: ColdWay,
): Promise<PullResult> {
  const { cleanup } = bench;
  const run = { cleanup, namespace: link.near };
  if (way.peer === undefined) {
    return await runClient<PullOptions, PullResult>('pull', { url: upstream, image }, run);
  }
  const folder = join(bench.folder, way.name);
  const peer = await way.peer.start({ folder, upstream, image, ...run });
  const result = await runClient<PullOptions, PullResult>('pull', { url: peer.url, image }, run);
  await peer.stop();
  await rm(folder, { recursive: true });
  return result;
}

export async function runCold(bench: Bench, options: ColdOptions): Promise<Outcome> {
  const { folder, cleanup } = bench;
  const image = await writeImage(folder, layerSizes);
  const link = await openLink({ ...options, folder, cleanup });
  const origin = await startOrigin({
    folder,
    cleanup,
    image,
    host: link.farAddress,
    namespace: link.far,
  });
  const distribution = findDistribution();
  const ways: readonly ColdWay[] = [
    { name: 'direct' },
    { name: 'mica', peer: findMica() },
    ...(distribution === undefined ? [] : [{ name: 'distribution', peer: distribution }]),
  ];
  const times = new Map<ColdWay, number[]>(ways.map((way) => [way, []]));
  const wrong: string[] = [];
  for (let round = 0; round < options.rounds; round += 1) {
    for (const way of rotate(ways, round)) {
      bench.say(`round ${round + 1} of ${options.rounds}: ${way.name}`);
      const result = await pullOnce(bench, link, origin.url, image, way);
      times.get(way)?.push(result.seconds);
      wrong.push(...result.wrong.map((problem) => `${way.name}: ${problem}`));
    }
  }
  const direct = median([...times.values()][0] ?? []);
  const results = [...times].map(([way, values]): ColdResult => {
    const value = median(values);
    return { way: way.name, seconds: value, timesDirect: value / direct };
  });
  const mica = results.find(({ way }) => way === 'mica')?.timesDirect ?? Number.NaN;
  const { delayMs, megabitsPerSecond } = options;
  const table = {
    title: `cold: one client pulls an image of ${image.layers.length} layers, nothing cached; ${megabitsPerSecond} Mbit/s, ${delayMs} ms each way`,
    head: ['way', 'seconds', '÷ direct'],
    rows: results.map((result) => [result.way, seconds(result.seconds), ratio(result.timesDirect)]),
  };
  return {
    results,
    tables: [table],
    aims: [{ name: 'time of a pull ÷ direct', bound: 'at most', limit, value: mica, unit: '×' }],
    wrong,
  };
}
