// Everything is cached: how many answers a second, how late, and how much memory the server needs.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runClient } from '../clients/client.ts';
import { fetchChecked } from '../clients/fetch-blob.ts';
import type { LoadOptions, LoadResult } from '../clients/load.ts';
import type { Bench, Outcome } from '../lib/bench.ts';
import { type Content, mebibyte } from '../lib/content.ts';
import {
  blobPath,
  type Image,
  manifestMediaType,
  manifestPath,
  tag,
  writeImage,
} from '../lib/image.ts';
import { watchMemory } from '../lib/memory.ts';
import { readProcessorSeconds } from '../lib/processor-time.ts';
import { median, rotate } from '../lib/statistics.ts';
import { type Aim, type Measurements, megabytes, milliseconds, ratio } from '../lib/table.ts';
import { startOrigin } from '../origin/start-origin.ts';
import { findDistribution } from '../peers/distribution.ts';
import { findMica } from '../peers/mica.ts';
import { findNginx } from '../peers/nginx.ts';
import type { Peer, PeerName } from '../peers/peer.ts';

export interface HotOptions {
  readonly rounds: number;
  readonly secondsPerRound: number;
  /** Where Node writes a processor profile of Mica. */
  readonly profileFolder?: string;
}

const connections = 16;

interface Target {
  readonly name: string;
  readonly client: 'manifest-load' | 'blob-load';
  readonly path: string;
  readonly content: Content;
  readonly accept: string;
  readonly body?: string;
  /** Aim: this many times distribution's rate. */
  readonly limit: number;
}

interface HotResult {
  readonly target: string;
  readonly peer: PeerName;
  readonly requestsPerSecond: number;
  readonly bytesPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Of the server, by answer: says more than the rate where other work shares the processor. */
  readonly processorMs: number;
  /** Highest of all rounds, bytes. */
  readonly residentMemory: number;
  /** Rate divided by distribution's; NaN without it. */
  readonly timesDistribution: number;
}

async function makeTargets(image: Image): Promise<readonly Target[]> {
  const manifest = {
    client: 'manifest-load',
    content: image.manifest,
    accept: manifestMediaType,
    body: await readFile(image.manifest.file, 'utf8'),
  } as const;
  const blobs = image.layers.map(
    (content): Target => ({
      name: `blob, ${content.size / mebibyte} MiB`,
      client: 'blob-load',
      path: blobPath(content.digest),
      content,
      accept: '*/*',
      limit: content.size === mebibyte ? 2 : 1.1,
    }),
  );
  return [
    ...blobs,
    { ...manifest, name: 'manifest by tag', path: manifestPath(tag), limit: 10 },
    {
      ...manifest,
      name: 'manifest by digest',
      path: manifestPath(image.manifest.digest),
      limit: 1.5,
    },
  ];
}

async function startPeers(
  bench: Bench,
  image: Image,
  options: HotOptions,
): Promise<readonly Peer[]> {
  const { cleanup } = bench;
  const origin = await startOrigin({ folder: bench.folder, cleanup, image, host: '127.0.0.1' });
  const peers: Peer[] = [];
  for (const peer of [findMica(), findDistribution(), findNginx()]) {
    if (peer !== undefined) {
      bench.say(`starting ${peer.name} ${peer.version}`);
      const folder = join(bench.folder, peer.name);
      const { profileFolder } = options;
      const nodeArguments =
        profileFolder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileFolder}`];
      peers.push(await peer.start({ folder, cleanup, image, upstream: origin.url, nodeArguments }));
    }
  }
  return peers;
}

/** Every answer of every peer once, whole and hashed. */
async function check(
  peers: readonly Peer[],
  targets: readonly Target[],
): Promise<readonly string[]> {
  const wrong: string[] = [];
  for (const peer of peers) {
    // By tag first: it tells a mirror which blobs belong to the repository.
    for (const target of targets.toReversed()) {
      const { content, accept, path } = target;
      const problem = await fetchChecked(`${peer.url}${path}`, content, { accept });
      if (problem !== undefined) {
        wrong.push(`${peer.name}: ${problem}`);
      }
    }
  }
  return wrong;
}

interface Round {
  readonly load: LoadResult;
  readonly processorMs: number;
  readonly residentMemory: number;
}

async function measure(bench: Bench, peer: Peer, target: Target, seconds: number): Promise<Round> {
  const { accept, body, content } = target;
  const options: LoadOptions = {
    url: `${peer.url}${target.path}`,
    connections,
    seconds,
    accept,
    size: content.size,
    ...(body === undefined ? {} : { body }),
  };
  const memory = watchMemory(peer.pid);
  const before = readProcessorSeconds(peer.pid);
  try {
    const { cleanup } = bench;
    const load = await runClient<LoadOptions, LoadResult>(target.client, options, { cleanup });
    const processorMs = ((readProcessorSeconds(peer.pid) - before) * 1e3) / load.right;
    return { load, processorMs, residentMemory: memory.stop().resident };
  } finally {
    memory.stop();
  }
}

function summarize(
  target: Target,
  peer: PeerName,
  rounds: readonly Round[],
  base: number,
): HotResult {
  const middle = (pick: (load: LoadResult) => number): number =>
    median(rounds.map(({ load }) => pick(load)));
  const requestsPerSecond = middle((load) => load.requestsPerSecond);
  return {
    target: target.name,
    peer,
    requestsPerSecond,
    bytesPerSecond: middle((load) => load.bytesPerSecond),
    p50Ms: middle((load) => load.p50Ms),
    p99Ms: middle((load) => load.p99Ms),
    processorMs: median(rounds.map(({ processorMs }) => processorMs)),
    residentMemory: Math.max(...rounds.map(({ residentMemory }) => residentMemory)),
    timesDistribution: requestsPerSecond / base,
  };
}

function countWrong(target: Target, peer: Peer, rounds: readonly Round[]): readonly string[] {
  const wrong = rounds.reduce((sum, { load }) => sum + load.wrong, 0);
  const right = rounds.reduce((sum, { load }) => sum + load.right, 0);
  if (wrong === 0 && right > 0) {
    return [];
  }
  return [`${peer.name}: ${target.name}: ${wrong} wrong answers beside ${right} right ones`];
}

function makeTable(results: readonly HotResult[]): Measurements {
  const rows = results.map((result) => [
    result.target,
    result.peer,
    result.requestsPerSecond.toFixed(result.requestsPerSecond < 100 ? 1 : 0),
    megabytes(result.bytesPerSecond),
    milliseconds(result.p50Ms),
    milliseconds(result.p99Ms),
    milliseconds(result.processorMs),
    megabytes(result.residentMemory),
    ratio(result.timesDistribution),
  ]);
  return {
    title: `hot: everything cached, ${connections} connections`,
    head: [
      'what',
      'server',
      'requests/s',
      'MB/s',
      'p50 ms',
      'p99 ms',
      'CPU ms',
      'memory MB',
      '÷ distribution',
    ],
    rows,
  };
}

export async function runHot(bench: Bench, options: HotOptions): Promise<Outcome> {
  const image = await writeImage(bench.folder, [mebibyte, 64 * mebibyte]);
  const targets = await makeTargets(image);
  const peers = await startPeers(bench, image, options);
  bench.say('reading every answer once');
  const wrong = [...(await check(peers, targets))];
  const results: HotResult[] = [];
  for (const target of targets) {
    const rounds = new Map<Peer, Round[]>(peers.map((peer) => [peer, []]));
    for (let round = 0; round < options.rounds; round += 1) {
      bench.say(`${target.name}: round ${round + 1} of ${options.rounds}`);
      for (const peer of rotate(peers, round)) {
        rounds.get(peer)?.push(await measure(bench, peer, target, options.secondsPerRound));
      }
    }
    const distribution = [...rounds].find(([peer]) => peer.name === 'distribution')?.[1] ?? [];
    const base = median(distribution.map(({ load }) => load.requestsPerSecond));
    for (const [peer, measured] of rounds) {
      results.push(summarize(target, peer.name, measured, base));
      wrong.push(...countWrong(target, peer, measured));
    }
  }
  wrong.push(...(await check(peers, targets)));
  for (const peer of peers) {
    await peer.stop();
  }
  const aims = targets.map((target): Aim => {
    const mica = results.find(({ target: name, peer }) => name === target.name && peer === 'mica');
    return {
      name: `${target.name}: requests/s ÷ distribution's`,
      bound: 'at least',
      limit: target.limit,
      value: mica?.timesDistribution ?? Number.NaN,
      unit: '×',
    };
  });
  return { results, tables: [makeTable(results)], aims, wrong };
}
