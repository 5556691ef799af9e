// What a command talks to: a terminal to print on, the machine, and which configuration to load.

import type { Runtime } from '../runtime/runtime.ts';

export interface Terminal {
  /** Prints to standard output; the text brings its own line breaks. */
  out(text: string): void;
  /** Prints to standard error; the text brings its own line breaks. */
  error(text: string): void;
  /** Whether a person is likely to read standard error as it comes (progress bars). */
  readonly isTerminal: boolean;
  /** Width in characters. */
  readonly columns: number;
}

export interface CommandContext {
  readonly runtime: Runtime;
  readonly terminal: Terminal;
  /** The `--config` option. */
  readonly configFile?: string;
}

/** 0 done, 1 failed, 2 wrong usage or configuration. */
export type ExitCode = 0 | 1 | 2;

export const EXIT_DONE: ExitCode = 0;
export const EXIT_FAILED: ExitCode = 1;
export const EXIT_USAGE: ExitCode = 2;
