// Mica over a data folder of its own, in one of the replica modes, and what it says of itself.
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Bench } from '../lib/bench.ts';
import { member } from '../lib/json.ts';
import { findMica } from '../peers/mica.ts';
import type { Peer } from '../peers/peer.ts';

/** `b0`: no whole copies; `b1`: one of each layer; `s`: of the hot ones, within a budget. */
export type StoreMode = 'off' | 'b0' | 'b1' | 's';

export interface StoreServerOptions {
  /** Its data is in `data`; what is there from before is used. */
  readonly folder: string;
  readonly upstream: string;
  readonly mode: StoreMode;
  /** Bytes of whole copies in mode `s`. */
  readonly rawBudget?: number;
  /** Left to the default when absent. */
  readonly predict?: boolean;
  readonly nodeArguments?: readonly string[];
}

/** What of `/stats` is read here; sizes are bytes. */
export interface StoreStats {
  readonly pending: number;
  readonly total: number;
  readonly whole: number;
  readonly recipeOnly: number;
  readonly notExact: number;
  /** Layers that were looked at since the start. */
  readonly ingested: number;
  readonly stored: number;
  /** Tars of all layers. */
  readonly tar: number;
  readonly packs: number;
  readonly recipes: number;
  readonly uniqueFiles: number;
  readonly duplicateFiles: number;
  /** Reads of layers that are only recipes. */
  readonly restores: number;
  /** Layers made ahead, and those of them that were asked for; absent in a Mica without prediction. */
  readonly prediction?: { readonly made: number; readonly used: number };
}

export interface StoreServer extends Peer {
  /** The data folder. */
  readonly data: string;
  readonly readStats: () => Promise<StoreStats>;
  /** Waits until no layer is still to be taken apart. */
  readonly settle: () => Promise<StoreStats>;
}

const pollMs = 500;
const queueMs = 1000;
/** Far above what the largest layer takes. */
const stuckMs = 600_000;

export async function startStore(
  { cleanup }: Pick<Bench, 'cleanup'>,
  options: StoreServerOptions,
): Promise<StoreServer> {
  const { folder, upstream, nodeArguments = [] } = options;
  const settings = { dedup: describeMode(options) };
  const peer = await findMica().start({ folder, cleanup, upstream, nodeArguments, settings });
  const readStats = async (): Promise<StoreStats> => {
    const response = await fetch(`${peer.admin}/stats`);
    return parseStats(await response.json());
  };
  return {
    ...peer,
    data: join(folder, 'data'),
    readStats,
    settle: () => untilTakenApart(readStats),
  };
}

async function untilTakenApart(readStats: () => Promise<StoreStats>): Promise<StoreStats> {
  // The last layer is put into the queue just after its last byte was sent.
  await wait(queueMs);
  let least = Number.POSITIVE_INFINITY;
  let changedMs = performance.now();
  for (;;) {
    const stats = await readStats();
    if (stats.pending === 0) {
      return stats;
    }
    if (stats.pending < least) {
      least = stats.pending;
      changedMs = performance.now();
    }
    if (performance.now() - changedMs > stuckMs) {
      throw new Error(`${stats.pending} layers are not taken apart, and no more are`);
    }
    await wait(pollMs);
  }
}

function describeMode({ mode, rawBudget, predict }: StoreServerOptions): unknown {
  const prediction = predict === undefined ? {} : { predict };
  switch (mode) {
    case 'off':
      return { mode };
    case 'b0':
      return { mode: 'b', replicas: 0, ...prediction };
    case 'b1':
      return { mode: 'b', replicas: 1 };
    case 's':
      return { mode, ...(rawBudget === undefined ? {} : { rawBudget }), ...prediction };
  }
}

function parseStats(value: unknown): StoreStats {
  const [layers, bytes, files] = ['layers', 'bytes', 'files'].map((key) => member(value, key));
  const ingested = member(member(value, 'totals'), 'ingested');
  const count = (of: unknown, key: string): number => {
    const found = member(of, key);
    if (typeof found !== 'number') {
      throw new Error(`/stats has no number ${key}`);
    }
    return found;
  };
  const prediction = member(value, 'prediction');
  return {
    pending: count(layers, 'pending'),
    total: count(layers, 'total'),
    whole: count(layers, 'whole'),
    recipeOnly: count(layers, 'recipeOnly'),
    notExact: count(layers, 'notExact'),
    ingested: ['recipe', 'whole', 'damaged'].reduce((sum, kind) => sum + count(ingested, kind), 0),
    stored: count(bytes, 'stored'),
    tar: count(bytes, 'tar'),
    packs: count(bytes, 'packs'),
    recipes: count(bytes, 'recipes'),
    uniqueFiles: count(files, 'unique'),
    duplicateFiles: count(files, 'duplicate'),
    restores: count(member(value, 'restores'), 'count'),
    ...(prediction === undefined
      ? {}
      : { prediction: { made: count(prediction, 'made'), used: count(prediction, 'used') } }),
  };
}
