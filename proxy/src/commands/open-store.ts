// Opens what a command works on: configuration, store and index; and turns failures into exit codes.
//
// Commands work on the data folder directly, also while the server runs: the index is shared between
// processes, and blobs are only ever added, renamed and removed as whole files.

import type { Config } from '../config/config.ts';
import { loadConfig } from '../config/load.ts';
import { ConfigError } from '../config/problems.ts';
import { loadTierCore } from '../dedup/load-tier-core.ts';
import { openTier, type Tier } from '../dedup/open-tier.ts';
import type { TierObserver } from '../dedup/tier-observer.ts';
import type { Log } from '../log.ts';
import type { BlobStore } from '../store/blob-store.ts';
import { openDataFolder } from '../store/data-folder.ts';
import type { Index } from '../store/index.ts';
import { ImageReferenceError } from './parse-image-reference.ts';
import { reportProblems } from './report-problems.ts';
import {
  type CommandContext,
  EXIT_FAILED,
  EXIT_USAGE,
  type ExitCode,
  type Terminal,
} from './terminal.ts';
import { UsageError } from './usage-error.ts';

export interface OpenedStore {
  readonly config: Config;
  readonly store: BlobStore;
  readonly index: Index;
  readonly tier: Tier;
}

export interface WithStoreOptions {
  /** Loads the core if it can be, for what makes layers again. */
  readonly needsCore?: boolean;
}

/** A command counts nothing. */
const NO_OBSERVER: TierObserver = {
  damaged: () => undefined,
  ingested: () => undefined,
  restored: () => undefined,
};

/** Runs a command's work with the configuration; tells failures in words. */
export async function withConfig(
  context: CommandContext,
  work: (config: Config) => Promise<ExitCode>,
): Promise<ExitCode> {
  try {
    return await work(await loadConfig(context));
  } catch (error) {
    if (error instanceof ConfigError) return reportProblems(context.terminal, error);
    context.terminal.error(`mica: ${describeError(error)}\n`);
    return error instanceof UsageError || error instanceof ImageReferenceError
      ? EXIT_USAGE
      : EXIT_FAILED;
  }
}

/** As withConfig, with the store and index open. A data folder that is not there is not made. */
export function withStore(
  context: CommandContext,
  work: (opened: OpenedStore) => Promise<ExitCode>,
  options: WithStoreOptions = {},
): Promise<ExitCode> {
  const { runtime, terminal } = context;
  return withConfig(context, async (config) => {
    if ((await runtime.files.stat(config.data)) === undefined) {
      terminal.error(`mica: there is no data folder ${config.data}: mica serve makes it\n`);
      return EXIT_FAILED;
    }
    const log = terminalLog(terminal);
    const folder = await openDataFolder({
      path: config.data,
      runtime,
      recheckMs: config.store.recheckMs,
      log,
    });
    try {
      const core =
        options.needsCore === true ? await loadTierCore(runtime, 'auto', log) : undefined;
      const tier = await openTier({ folder, runtime, log, core, observer: NO_OBSERVER });
      const exitCode = await work({ config, store: tier.store, index: folder.index, tier });
      await tier.close();
      return exitCode;
    } finally {
      await folder.close();
    }
  });
}

/** Prints a value for machines. */
export function printJson(terminal: Terminal, value: unknown): void {
  terminal.out(`${JSON.stringify(value, null, 2)}\n`);
}

/** An error with what caused it: `fetch failed: connect ECONNREFUSED 127.0.0.1:5000`. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.cause === undefined || error instanceof ImageReferenceError) return error.message;
  return `${error.message}: ${describeError(error.cause)}`;
}

/** Warnings and errors as lines; the rest of a log is for the server. */
function terminalLog(terminal: Terminal): Log {
  const print = (fields: object, message: string) => {
    // An error's own fields are not its message.
    const told = JSON.stringify(fields, (_name, value: unknown) =>
      value instanceof Error ? describeError(value) : value,
    );
    terminal.error(`mica: ${message} ${told}\n`);
  };
  return { debug: () => undefined, info: () => undefined, warn: print, error: print };
}
