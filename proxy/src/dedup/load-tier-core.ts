// The core for the registry tier, if it loads: without it Mica goes on with whole copies.

import type { Core } from 'mica-core/core';
import { CoreChoiceError, parseCoreChoice } from 'mica-core/core-choice';
import type { CoreThreads } from 'mica-core/load-core';
import type { Log } from '../log.ts';
import type { Runtime } from '../runtime/runtime.ts';

/** Two of a kind: what clients wait for has threads of its own, and the others give way to them. */
export interface TierCore {
  /** Makes layers again for clients. */
  readonly restore: Core;
  /** Takes layers apart. */
  readonly ingest: Core;
}

function threadsOf(workers: 'auto' | number): CoreThreads {
  return { workers: workers === 'auto' ? undefined : workers, isBackground: true };
}

/** Undefined, and said in the log, when no core loads. Rejects when CORE names none. */
export async function loadTierCore(
  { loadCore, environment }: Pick<Runtime, 'loadCore' | 'environment'>,
  workers: 'auto' | number,
  log: Log,
): Promise<TierCore | undefined> {
  const choice = parseCoreChoice(environment['CORE']);
  try {
    const { core: restore, nativeError } = await loadCore(choice);
    if (nativeError !== undefined) log.warn({ err: nativeError }, 'the native core does not load');
    // WebAssembly works on the event loop, whatever the number of threads.
    const ingest =
      restore.flavour === 'native' ? (await loadCore('native', threadsOf(workers))).core : restore;
    log.info({ core: restore.flavour, version: restore.version }, 'the core is loaded');
    return { restore, ingest };
  } catch (error) {
    if (error instanceof CoreChoiceError) throw error;
    const message =
      'the core does not load: layers are kept whole, and those that are not are fetched';
    log.error({ err: error }, message);
    return undefined;
  }
}
