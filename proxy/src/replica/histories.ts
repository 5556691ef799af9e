// All that is remembered of layers and clients: kept in the index, and told to nobody.

import type { Log } from '../log.ts';
import type { LmdbEnvironment } from '../store/lmdb-environment.ts';
import { MAX_PAIRS, type UseRecord } from './allowance.ts';
import type { DecayedCount } from './decay.ts';
import { type GapRecord, MAX_REPOSITORIES } from './gaps.ts';
import { type Dated, HistoryTable } from './history-table.ts';
import { MAX_POPULAR } from './popularity.ts';
import { MAX_CLIENTS, type PulledRecord } from './pulled-layers.ts';

export interface Histories {
  /** By layer. */
  readonly popularity: HistoryTable<DecayedCount>;
  /** By client. */
  readonly pulled: HistoryTable<PulledRecord>;
  /** By repository. */
  readonly gaps: HistoryTable<GapRecord>;
  /** By repository and client. */
  readonly uses: HistoryTable<UseRecord>;
  /** Bounds them. */
  trim(): Promise<void>;
  close(): Promise<void>;
}

export function openHistories(environment: LmdbEnvironment, log: Log): Histories {
  const open = <Value extends Dated>(name: string, maxEntries: number) =>
    new HistoryTable<Value>({ environment, name, maxEntries, log });
  const popularity = open<DecayedCount>('popularity', MAX_POPULAR);
  const pulled = open<PulledRecord>('pulled-layers', MAX_CLIENTS);
  const gaps = open<GapRecord>('pull-gaps', MAX_REPOSITORIES);
  const uses = open<UseRecord>('prediction-uses', MAX_PAIRS);
  const all = [popularity, pulled, gaps, uses];
  return {
    ...{ popularity, pulled, gaps, uses },
    trim: async () => {
      for (const table of all) await table.trim();
    },
    close: async () => {
      for (const table of all) await table.close();
    },
  };
}
