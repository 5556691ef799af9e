// What every command does with a configuration that cannot be used.

import { ConfigError, renderProblems } from '../config/problems.ts';
import { EXIT_USAGE, type ExitCode, type Terminal } from './terminal.ts';

/** Prints all problems of a ConfigError and gives the exit code; throws any other error again. */
export function reportProblems(terminal: Terminal, error: unknown): ExitCode {
  if (!(error instanceof ConfigError)) throw error;
  terminal.error(renderProblems(error.problems));
  return EXIT_USAGE;
}
