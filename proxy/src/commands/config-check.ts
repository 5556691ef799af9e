// `mica config check`: loads the configuration and says what is wrong with it.

import { loadSettings } from '../config/load.ts';
import { ConfigError } from '../config/problems.ts';
import { reportProblems } from './report-problems.ts';
import { type CommandContext, EXIT_DONE, EXIT_USAGE, type ExitCode } from './terminal.ts';

export interface ConfigCheckOptions {
  readonly json?: boolean | undefined;
}

export async function configCheck(
  context: CommandContext,
  options: ConfigCheckOptions = {},
): Promise<ExitCode> {
  const { runtime, configFile, terminal } = context;
  try {
    const { file } = await loadSettings({ runtime, configFile });
    const said =
      file === undefined ? 'no file; defaults and environment are good' : `${file} is good`;
    terminal.out(options.json ? `${JSON.stringify({ file, problems: [] })}\n` : `${said}\n`);
    return EXIT_DONE;
  } catch (error) {
    if (!options.json || !(error instanceof ConfigError)) return reportProblems(terminal, error);
    terminal.out(`${JSON.stringify({ problems: error.problems })}\n`);
    return EXIT_USAGE;
  }
}
