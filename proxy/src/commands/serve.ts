// `mica serve`: runs the mirror until it is told to stop.

import type { Serving } from '../adapter/serving.ts';
import type { Config } from '../config/config.ts';
import { openMica } from '../mica.ts';
import { openLog } from '../open-log.ts';
import { withConfig } from './open-store.ts';
import { type CommandContext, EXIT_DONE, type ExitCode } from './terminal.ts';

export interface ServeParts {
  readonly serving: Serving;
  /** Resolves with the signal's name when the program is told to stop. */
  readonly untilStopped: () => Promise<string>;
}

export function serve(context: CommandContext, parts: ServeParts): Promise<ExitCode> {
  return withConfig(context, (config) => run(context, config, parts));
}

async function run(
  { runtime }: CommandContext,
  config: Config,
  { serving, untilStopped }: ServeParts,
): Promise<ExitCode> {
  const log = openLog(config.log);
  try {
    const stopped = untilStopped();
    const mica = await openMica({ config, runtime, log, serving });
    const { listen, admin } = mica;
    log.info({ listen, admin, data: config.data, runtime: runtime.name }, 'listening');
    const signal = await stopped;
    log.info({ signal }, 'stopping: open bodies are finished first');
    await mica.close();
    log.info({}, 'stopped');
    return EXIT_DONE;
  } finally {
    await log.flush();
  }
}
