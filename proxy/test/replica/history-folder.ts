// An index for what is seen of layers and clients, in a folder of its own.

import type { ExecutionContext } from 'ava';
import { type Dated, HistoryTable } from '../../src/replica/history-table.ts';
import { openLmdbEnvironment } from '../../src/store/lmdb-environment.ts';
import { quietLog } from '../doubles/quiet-log.ts';
import { makeFolder, removeFolder } from '../doubles/test-runtime.ts';

/** Gives a function that opens a table anew: what it then has was written to the disk. */
export async function makeHistory<Value extends Dated>(
  t: ExecutionContext,
  maxEntries = 100,
): Promise<() => Promise<HistoryTable<Value>>> {
  const folder = await makeFolder();
  let close = async (): Promise<void> => undefined;
  t.teardown(async () => {
    await close();
    await removeFolder(folder);
  });
  return async () => {
    await close();
    const environment = await openLmdbEnvironment({ folder });
    const table = new HistoryTable<Value>({
      ...{ environment, name: 'test', maxEntries, log: quietLog },
    });
    close = async () => {
      await table.close();
      await environment.close();
    };
    return table;
  };
}
