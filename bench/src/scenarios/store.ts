// The registry tier: what it stores of real images, how fast it takes layers apart and makes them again,
// and what its clients wait for. Every layer that is made again is compared with its digest.
import { join } from 'node:path';
import { registryFolder } from '../corpus/corpus-file.ts';
import type { Bench, Outcome } from '../lib/bench.ts';
import { type Aim, type Measurements, renderMeasurements } from '../lib/table.ts';
import { startUpstream } from '../peers/distribution.ts';
import {
  judgeChecks,
  judgeDockerPulls,
  judgeHits,
  judgeIngest,
  judgeReplay,
  judgeRestores,
  judgeSingles,
  judgeSize,
} from '../store/aims.ts';
import { measureDockerPulls } from '../store/docker-pulls.ts';
import { measureHits } from '../store/hits.ts';
import { listSessions, mapSessions, readIbmTrace } from '../store/ibm-trace.ts';
import { measureIngest } from '../store/ingest.ts';
import { measureReplay } from '../store/replay.ts';
import { measureRestores } from '../store/restore.ts';
import { measureSingles, measureSize } from '../store/size.ts';
import { createContext, type StoreContext } from '../store/store-context.ts';
import { openStoreCorpus } from '../store/store-corpus.ts';
import type { StoreRow } from '../store/store-rows.ts';
import {
  tabulateDockerPulls,
  tabulateHits,
  tabulateIngest,
  tabulateReplay,
  tabulateRestores,
  tabulateSingles,
  tabulateSize,
} from '../store/tables.ts';
import { makeTrace, type Session } from '../store/trace.ts';

export interface StoreOptions {
  /** Folder of the corpus. */
  readonly corpus: string;
  readonly rows: readonly StoreRow[];
  readonly rounds: number;
  /** Sessions that are replayed at most. */
  readonly sessions: number;
  /** Folder of traces in the form of IBM's; a generated one when absent. */
  readonly trace?: string;
}

interface RowOutcome {
  readonly results: unknown;
  readonly tables: readonly Measurements[];
  readonly aims: readonly Aim[];
}

export async function runStore(bench: Bench, options: StoreOptions): Promise<Outcome> {
  const corpus = await openStoreCorpus(options.corpus, bench.isQuick);
  const upstream = await startUpstream({
    folder: join(bench.folder, 'upstream'),
    cleanup: bench.cleanup,
    data: registryFolder(options.corpus),
  });
  const [wrong, checked]: [string[], { layers: number }] = [[], { layers: 0 }];
  const context = createContext({ bench, corpus, upstream, wrong, checked });
  const results: Record<string, unknown> = {};
  const [tables, aims]: [Measurements[], Aim[]] = [[], []];
  for (const row of options.rows) {
    const outcome = await measureRow(context, row, options);
    results[row] = outcome.results;
    // All rows take an hour: what is known should not be lost with what comes.
    for (const table of outcome.tables) {
      bench.say(`\n${renderMeasurements(table)}\n`);
    }
    tables.push(...outcome.tables);
    aims.push(...outcome.aims);
  }
  await upstream.stop();
  aims.push(judgeChecks(checked.layers, wrong.length));
  return { results: { ...results, layersChecked: checked.layers }, tables, aims, wrong };
}

async function measureRow(
  context: StoreContext,
  row: StoreRow,
  options: StoreOptions,
): Promise<RowOutcome> {
  const { rounds } = options;
  switch (row) {
    case 'size': {
      const results = await measureSize(context);
      return { results, tables: [tabulateSize(results)], aims: judgeSize(results) };
    }
    case 'single': {
      const results = await measureSingles(context);
      return { results, tables: [tabulateSingles(results)], aims: judgeSingles(results) };
    }
    case 'ingest': {
      const results = await measureIngest(context);
      return { results, tables: [tabulateIngest(results)], aims: judgeIngest(results) };
    }
    case 'hits': {
      const seconds = context.bench.isQuick ? 1 : 3;
      const results = await measureHits(context, { rounds, seconds });
      return { results, tables: [tabulateHits(results)], aims: judgeHits(results) };
    }
    case 'restore': {
      const results = await measureRestores(context, rounds);
      return { results, tables: [tabulateRestores(results)], aims: judgeRestores(results) };
    }
    case 'replay': {
      const results = await measureReplay(context, await readTrace(context, options));
      return { results, tables: [tabulateReplay(results)], aims: judgeReplay(results) };
    }
    case 'pull': {
      const results = await measureDockerPulls(context, rounds);
      return { results, tables: [tabulateDockerPulls(results)], aims: judgeDockerPulls(results) };
    }
  }
}

const traceSeed = 6;

async function readTrace(
  { bench, corpus: { images } }: StoreContext,
  { sessions, trace: folder }: StoreOptions,
): Promise<readonly Session[]> {
  if (folder === undefined) {
    return makeTrace(images, { sessions, seed: traceSeed });
  }
  const opened = listSessions(await readIbmTrace(folder));
  bench.say(`${opened.length} sessions in ${folder}, of which ${sessions} at most are replayed`);
  return mapSessions(opened, images, sessions);
}
