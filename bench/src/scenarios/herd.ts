// Many clients at once: what a crowd on a cold blob costs the upstream and its slowest member, and
// what many slow readers cost the server's memory.
import { createHash } from 'node:crypto';
import { mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { runClient } from '../clients/client.ts';
import type { HerdOptions as HerdClientOptions, HerdResult as Pulled } from '../clients/herd.ts';
import type { SlowReadersOptions, SlowReadersResult } from '../clients/slow-readers.ts';
import type { Bench, Outcome } from '../lib/bench.ts';
import { createCleanup } from '../lib/cleanup.ts';
import { type Content, mebibyte } from '../lib/content.ts';
import {
  blobPath,
  type Image,
  manifestMediaType,
  manifestPath,
  tag,
  writeImage,
} from '../lib/image.ts';
import { type Link, openLink } from '../lib/link.ts';
import { type Memory, watchMemory } from '../lib/memory.ts';
import { type Aim, type Measurements, megabytes, ratio, seconds } from '../lib/table.ts';
import { type Origin, startOrigin } from '../origin/start-origin.ts';
import { findDistribution } from '../peers/distribution.ts';
import { findMica } from '../peers/mica.ts';
import type { InstalledPeer, PeerName } from '../peers/peer.ts';
import type { SlowLinkOptions } from './cold.ts';

export interface HerdOptions extends SlowLinkOptions {
  readonly clients: number;
  readonly readers: number;
}

const megabyte = 1e6;
const bigBlobSize = 200 * megabyte;
/** For distribution, which fetches once per client: 32 times 200 MB would take nine minutes. */
const smallBlobSize = 20 * megabyte;
const slowBlobSize = 1024 * mebibyte;
const slowBytesPerSecond = 100_000;
const slowSeconds = { quick: 8, full: 25 };
const prefixSize = 64 * 1024;

const aims = { upstream: 1.005, slowest: 1.1, memory: 250 * megabyte } as const;

interface HerdResult {
  readonly peer: PeerName;
  readonly size: number;
  readonly clients: number;
  readonly slowestSeconds: number;
  /** Divided by the time of one client alone. */
  readonly timesOne: number;
  readonly upstreamAnswers: number;
  readonly upstreamBytes: number;
  readonly timesBlob: number;
}

interface Site {
  readonly bench: Bench;
  readonly link: Link;
  readonly origin: Origin;
  readonly image: Image;
}

interface Crowd {
  readonly pulled: Pulled;
  readonly answers: number;
  readonly bytes: number;
}

/** `clients` pull a blob through a server that was just started and has nothing. */
async function pullAtOnce(
  site: Site,
  installed: InstalledPeer,
  content: Content,
  clients: number,
): Promise<Crowd> {
  const { bench, link, origin, image } = site;
  bench.say(`${installed.name}: ${megabytes(content.size)} MB, ${clients} clients`);
  const run = { cleanup: bench.cleanup, namespace: link.near };
  const folder = join(bench.folder, installed.name);
  const before = origin.sentOf(content.digest);
  const peer = await installed.start({ folder, upstream: origin.url, image, ...run });
  const pulled = await runClient<HerdClientOptions, Pulled>(
    'herd',
    {
      url: `${peer.url}${blobPath(content.digest)}`,
      manifest: {
        url: `${peer.url}${manifestPath(tag)}`,
        content: image.manifest,
        accept: manifestMediaType,
      },
      content,
      clients,
    },
    run,
  );
  await peer.stop();
  await rm(folder, { recursive: true });
  const after = origin.sentOf(content.digest);
  return { pulled, answers: after.answers - before.answers, bytes: after.bytes - before.bytes };
}

async function compareWithOne(
  site: Site,
  installed: InstalledPeer,
  content: Content,
  clients: number,
): Promise<{ readonly results: readonly HerdResult[]; readonly wrong: readonly string[] }> {
  const one = await pullAtOnce(site, installed, content, 1);
  const all = await pullAtOnce(site, installed, content, clients);
  const alone = Math.max(...one.pulled.seconds);
  const results = [one, all].map(({ pulled, answers, bytes }): HerdResult => {
    const slowestSeconds = Math.max(...pulled.seconds);
    return {
      peer: installed.name,
      size: content.size,
      clients: pulled.seconds.length,
      slowestSeconds,
      timesOne: slowestSeconds / alone,
      upstreamAnswers: answers,
      upstreamBytes: bytes,
      timesBlob: bytes / content.size,
    };
  });
  const wrong = [...one.pulled.wrong, ...all.pulled.wrong];
  return { results, wrong: wrong.map((problem) => `${installed.name}: ${problem}`) };
}

async function runCrowds(bench: Bench, options: HerdOptions) {
  const folder = join(bench.folder, 'crowd');
  await mkdir(folder);
  const cleanup = createCleanup();
  bench.cleanup.add(cleanup.run);
  const inner = { ...bench, folder, cleanup };
  const image = await writeImage(folder, [bigBlobSize, smallBlobSize]);
  const link = await openLink({ ...options, folder, cleanup });
  const { farAddress: host, far: namespace } = link;
  const origin = await startOrigin({ folder, cleanup, image, host, namespace });
  const site: Site = { bench: inner, link, origin, image };
  const [big, small] = image.layers;
  const distribution = findDistribution();
  const plan = [
    ...(bench.isQuick ? [] : [{ peer: findMica(), content: big }]),
    { peer: findMica(), content: small },
    ...(distribution === undefined ? [] : [{ peer: distribution, content: small }]),
  ];
  const results: HerdResult[] = [];
  const wrong: string[] = [];
  for (const { peer, content } of plan) {
    if (content !== undefined) {
      const compared = await compareWithOne(site, peer, content, options.clients);
      results.push(...compared.results);
      wrong.push(...compared.wrong);
    }
  }
  cleanup.run();
  return { results, wrong };
}

interface SlowResult {
  readonly peer: PeerName;
  readonly readers: number;
  readonly seconds: number;
  /** Bytes that the readers took. */
  readonly read: number;
  readonly starved: number;
  /** Highest seen. */
  readonly memory: Memory;
}

async function hashPrefix(file: string): Promise<string> {
  const handle = await open(file);
  const bytes = Buffer.alloc(prefixSize);
  await handle.read(bytes, 0, prefixSize, 0);
  await handle.close();
  return createHash('sha256').update(bytes).digest('hex');
}

async function runSlowReaders(bench: Bench, options: HerdOptions) {
  const { cleanup } = bench;
  const folder = join(bench.folder, 'slow');
  await mkdir(folder);
  bench.say('writing a blob of 1 GiB');
  const image = await writeImage(folder, [slowBlobSize]);
  const origin = await startOrigin({ folder, cleanup, image, host: '127.0.0.1' });
  const results: SlowResult[] = [];
  const wrong: string[] = [];
  for (const installed of [findMica(), findDistribution()]) {
    const [content] = image.layers;
    if (installed === undefined || content === undefined) {
      continue;
    }
    bench.say(`${installed.name}: ${options.readers} slow readers`);
    const own = join(folder, installed.name);
    const peer = await installed.start({ folder: own, cleanup, image, upstream: origin.url });
    const memory = watchMemory(peer.pid);
    const holdSeconds = bench.isQuick ? slowSeconds.quick : slowSeconds.full;
    const result = await runClient<SlowReadersOptions, SlowReadersResult>(
      'slow-readers',
      {
        url: `${peer.url}${blobPath(content.digest)}`,
        clients: options.readers,
        seconds: holdSeconds,
        bytesPerSecond: slowBytesPerSecond,
        size: content.size,
        prefix: { size: prefixSize, sha256: await hashPrefix(content.file) },
      },
      { cleanup },
    );
    const peak = memory.stop();
    await peer.stop();
    await rm(own, { recursive: true });
    const { name } = installed;
    results.push({
      peer: name,
      readers: options.readers,
      seconds: holdSeconds,
      read: result.read,
      starved: result.starved,
      memory: peak,
    });
    wrong.push(...result.wrong.map((problem) => `${name}: slow reader: ${problem}`));
  }
  await origin.stop();
  return { results, wrong };
}

function makeAims(herd: readonly HerdResult[], slow: readonly SlowResult[]): readonly Aim[] {
  const crowd = herd.find(({ peer, clients }) => peer === 'mica' && clients > 1);
  const memory = slow.find(({ peer }) => peer === 'mica')?.memory.resident;
  const atMost = { bound: 'at most', unit: '×' } as const;
  return [
    {
      name: 'upstream bytes ÷ blob',
      ...atMost,
      limit: aims.upstream,
      value: crowd?.timesBlob ?? Number.NaN,
    },
    {
      name: 'slowest client ÷ one client alone',
      ...atMost,
      limit: aims.slowest,
      value: crowd?.timesOne ?? Number.NaN,
    },
    {
      name: 'memory with slow readers',
      bound: 'at most',
      limit: aims.memory,
      value: memory ?? Number.NaN,
      unit: 'MB',
    },
  ];
}

function makeTables(
  options: HerdOptions,
  herd: readonly HerdResult[],
  slow: readonly SlowResult[],
): readonly Measurements[] {
  const { delayMs, megabitsPerSecond, readers } = options;
  return [
    {
      title: `herd: clients pull one blob at once, nothing cached; ${megabitsPerSecond} Mbit/s, ${delayMs} ms each way`,
      head: [
        'server',
        'blob MB',
        'clients',
        'slowest s',
        '÷ one',
        'upstream GETs',
        'upstream MB',
        '÷ blob',
      ],
      rows: herd.map((result) => [
        result.peer,
        megabytes(result.size),
        String(result.clients),
        seconds(result.slowestSeconds),
        ratio(result.timesOne),
        String(result.upstreamAnswers),
        megabytes(result.upstreamBytes),
        ratio(result.timesBlob),
      ]),
    },
    {
      title: `slow readers: ${readers} connections on a blob of 1 GiB, cold at first, ${slowBytesPerSecond / 1e3} kB/s each`,
      head: ['server', 'seconds', 'read MB', 'starved readers', 'memory MB', 'of it anonymous MB'],
      rows: slow.map((result) => [
        result.peer,
        String(result.seconds),
        megabytes(result.read),
        String(result.starved),
        megabytes(result.memory.resident),
        megabytes(result.memory.anonymous),
      ]),
    },
  ];
}

export async function runHerd(bench: Bench, options: HerdOptions): Promise<Outcome> {
  const herd = await runCrowds(bench, options);
  const slow = await runSlowReaders(bench, options);
  return {
    results: { herd: herd.results, slowReaders: slow.results },
    tables: makeTables(options, herd.results, slow.results),
    aims: makeAims(herd.results, slow.results),
    wrong: [...herd.wrong, ...slow.wrong],
  };
}
