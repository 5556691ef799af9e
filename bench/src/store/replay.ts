// A trace of pulls replayed against Mica in its modes and against distribution, all holding all images:
// how long nodes wait for a layer, and what that takes of disk and memory.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { runClient } from '../clients/client.ts';
import type { ReplayOptions, ReplayResult } from '../clients/replay.ts';
import { watchMemory } from '../lib/memory.ts';
import { percentile } from '../lib/statistics.ts';
import { findDistribution } from '../peers/distribution.ts';
import { hasDedupKey } from '../peers/mica.ts';
import type { Peer } from '../peers/peer.ts';
import { copyFolder, measureFolder } from './disk.ts';
import { pullImages } from './fill-store.ts';
import { fillStore, makeStoreFolder, removeFolder, type StoreContext } from './store-context.ts';
import { type StoreServer, type StoreServerOptions, startStore } from './store-server.ts';
import type { Session } from './trace.ts';

export type ReplayWay = 'off' | 'distribution' | 'b0' | 's' | 's, prediction';

export interface WayResult {
  readonly way: ReplayWay;
  readonly layers: number;
  /** From a layer's request to its last byte. */
  readonly meanMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Most of it, the beginning of the trace included; bytes. */
  readonly residentMemory: number;
  /** At the end, by du(1); bytes. */
  readonly stored: number;
  /** Layers that are whole at the end; NaN for distribution. */
  readonly whole: number;
  /** Layers made ahead, and those that were then asked for. */
  readonly prediction?: { readonly made: number; readonly used: number };
}

/** The part of the trace that only teaches the server what is asked for. */
const warmUpRatio = 0.4;

/** What mode `s` may take of the disk that `off` takes. */
export const diskRatio = 0.5;

/** Of the budget, so that what is not a layer has room too. */
const budgetRatio = 0.95;

const settlePollMs = 2000;
/** Polls after which the copies are as they stay (a server looks every 10 s), and polls at most. */
const settlePolls = 8;
const maxSettlePolls = 60;

export async function measureReplay(
  context: StoreContext,
  trace: readonly Session[],
): Promise<readonly WayResult[]> {
  const { bench } = context;
  const recipes = await context.getRecipes();
  const off = await replayOff(context, trace);
  const results = [off];
  if (findDistribution() !== undefined) {
    results.push(await replayDistribution(context, trace));
  }
  const canPredict = hasDedupKey('predict');
  const still = canPredict ? { predict: false } : {};
  const budget = diskRatio * off.stored - (await measureFolder(join(recipes, 'data')));
  const rawBudget = Math.max(0, Math.round(budget * budgetRatio));
  const ways: readonly (Pick<StoreServerOptions, 'mode' | 'predict' | 'rawBudget'> & {
    readonly way: ReplayWay;
  })[] = [
    { way: 'b0', mode: 'b0', ...still },
    { way: 's', mode: 's', rawBudget, ...still },
    ...(canPredict ? [{ way: 's, prediction', mode: 's', rawBudget, predict: true } as const] : []),
  ];
  for (const { way, ...options } of ways) {
    bench.say(`replaying against ${way}`);
    const folder = await copyStore(context, recipes);
    results.push(await replayMica(context, way, trace, { folder, ...options }));
    await removeFolder(folder);
  }
  return results;
}

async function copyStore({ bench }: StoreContext, source: string): Promise<string> {
  const folder = join(bench.folder, 'replay');
  await copyFolder(source, folder);
  return folder;
}

async function replayOff(context: StoreContext, trace: readonly Session[]): Promise<WayResult> {
  const folder = await makeStoreFolder(context.bench, 'off');
  await fillStore(context, folder, 'off');
  context.bench.say('replaying against off');
  const result = await replayMica(context, 'off', trace, { folder, mode: 'off' });
  await removeFolder(folder);
  return result;
}

async function replayMica(
  context: StoreContext,
  way: ReplayWay,
  trace: readonly Session[],
  options: Omit<StoreServerOptions, 'upstream'>,
): Promise<WayResult> {
  const { bench, upstream, checked } = context;
  const server = await startStore(bench, { ...options, upstream: upstream.url });
  const measured = await replayParts(context, way, server, trace, () => settleCopies(server));
  const { restores, whole, prediction } = await server.readStats();
  checked.layers += restores;
  await server.stop();
  return {
    ...measured,
    ...{ way, whole, stored: await measureFolder(server.data) },
    ...(prediction === undefined ? {} : { prediction }),
  };
}

/** Waits until no more copies come or go. */
async function settleCopies(server: StoreServer): Promise<void> {
  let last = Number.NaN;
  let same = 0;
  for (let poll = 0; poll < maxSettlePolls && same < settlePolls; poll += 1) {
    await wait(settlePollMs);
    const { whole } = await server.readStats();
    same = whole === last ? same + 1 : 0;
    last = whole;
  }
}

async function replayDistribution(
  context: StoreContext,
  trace: readonly Session[],
): Promise<WayResult> {
  const { bench, corpus, upstream, wrong } = context;
  const installed = findDistribution();
  if (installed === undefined) {
    throw new Error('distribution is gone');
  }
  const folder = await makeStoreFolder(bench, 'distribution');
  const { cleanup } = bench;
  const peer = await installed.start({ folder, cleanup, upstream: upstream.url });
  wrong.push(...(await pullImages(bench, peer, corpus.folder, corpus.images)).wrong);
  bench.say('replaying against distribution');
  const measured = await replayParts(context, 'distribution', peer, trace, async () => undefined);
  await peer.stop();
  const stored = await measureFolder(join(folder, 'data'));
  await removeFolder(folder);
  return { ...measured, way: 'distribution', stored, whole: Number.NaN };
}

type Measured = Pick<WayResult, 'layers' | 'meanMs' | 'p50Ms' | 'p99Ms' | 'residentMemory'>;

/** The first part of the trace, a pause, and the part that counts. */
async function replayParts(
  context: StoreContext,
  way: ReplayWay,
  server: Peer,
  trace: readonly Session[],
  settle: () => Promise<void>,
): Promise<Measured> {
  const warmUp = Math.floor(trace.length * warmUpRatio);
  const memory = watchMemory(server.pid);
  try {
    await replayOnce(context, way, server, trace.slice(0, warmUp));
    await settle();
    const { layers } = await replayOnce(context, way, server, trace.slice(warmUp));
    const times = layers.map(({ ms }) => ms);
    return {
      layers: layers.length,
      meanMs: times.reduce((sum, ms) => sum + ms, 0) / times.length,
      p50Ms: percentile(times, 0.5),
      p99Ms: percentile(times, 0.99),
      residentMemory: memory.stop().resident,
    };
  } finally {
    memory.stop();
  }
}

async function replayOnce(
  { bench, corpus, wrong }: StoreContext,
  way: ReplayWay,
  server: Peer,
  part: readonly Session[],
): Promise<ReplayResult> {
  const sessions = join(bench.folder, 'sessions.json');
  await writeFile(sessions, JSON.stringify(part));
  const options = { url: server.url, corpus: corpus.folder, sessions };
  const result = await runClient<ReplayOptions, ReplayResult>('replay', options, bench);
  wrong.push(...result.wrong.map((problem) => `${way}: ${problem}`));
  return result;
}
