// This process: what it prints on and how it is told to stop.

import type { Terminal } from '../../commands/terminal.ts';

/** Width of a terminal that does not tell, in characters. */
const USUAL_COLUMNS = 80;

export const processTerminal: Terminal = {
  out: (text) => {
    process.stdout.write(text);
  },
  error: (text) => {
    process.stderr.write(text);
  },
  isTerminal: process.stderr.isTTY === true,
  columns: process.stderr.columns ?? USUAL_COLUMNS,
};

/** Waits for SIGTERM or SIGINT. A second one ends the process at once, as without a handler. */
export function untilStopped(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, resolve);
  });
}
