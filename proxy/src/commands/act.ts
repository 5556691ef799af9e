// How a command's work becomes an action of the command line.

import type { CommandContext, ExitCode } from './terminal.ts';

/** Makes an action of a command's work; its exit code becomes the program's. */
export type Act = <Args extends unknown[]>(
  work: (context: CommandContext, ...args: Args) => Promise<ExitCode>,
) => (...args: Args) => Promise<void>;
