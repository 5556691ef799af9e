// The command line: names, options and help; each command's work is in its own file.

import { Command, CommanderError } from 'commander';
import type { Serving } from '../adapter/serving.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { VERSION } from '../version.ts';
import type { Act } from './act.ts';
import { addLayerCommands } from './layer-commands.ts';
import { addMaintenanceCommands } from './maintenance-commands.ts';
import { serve } from './serve.ts';
import { addSetupCommands } from './setup-commands.ts';
import { EXIT_DONE, EXIT_USAGE, type ExitCode, type Terminal } from './terminal.ts';

export interface ProgramParts {
  readonly runtime: Runtime;
  readonly terminal: Terminal;
  readonly serving: () => Serving;
  /** Resolves with the signal's name when the program is told to stop. */
  readonly untilStopped: () => Promise<string>;
}

const EPILOGUE = `
Configuration: --config FILE, else MICA_CONFIG, else ./mica.yaml, else built-in defaults; every key
also as an environment variable (tags.ttl: MICA_TAGS_TTL). Exit codes: 0 done, 1 failed, 2 wrong
usage or configuration.`;

/** Runs the command that the arguments name; without the program's own name. */
export async function runProgram(args: readonly string[], parts: ProgramParts): Promise<ExitCode> {
  const { terminal, runtime } = parts;
  let exitCode: ExitCode = EXIT_DONE;
  const program = new Command('mica')
    .description('Pull-through cache for container images')
    .version(VERSION, '-V, --version', 'print the version')
    .option('-c, --config <file>', 'configuration file')
    .addHelpText('after', EPILOGUE)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.out(text),
      writeErr: (text) => terminal.error(text),
    });
  const act: Act =
    (work) =>
    async (...actionArgs) => {
      const { config } = program.opts<{ config?: string }>();
      const configFile = config === undefined ? {} : { configFile: config };
      exitCode = await work({ runtime, terminal, ...configFile }, ...actionArgs);
    };
  program
    .command('serve')
    .description('run the mirror until SIGTERM or SIGINT')
    .action(act((context) => serve(context, { ...parts, serving: parts.serving() })));
  addMaintenanceCommands(program, act);
  addLayerCommands(program, act);
  addSetupCommands(program, act);
  try {
    await program.parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? EXIT_DONE : EXIT_USAGE;
  }
}
