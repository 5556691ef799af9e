// A terminal that keeps what was printed.

import type { Terminal } from '../../src/commands/terminal.ts';

export class MemoryTerminal implements Terminal {
  readonly isTerminal: boolean = false;
  readonly columns: number = 100;
  /** All of standard output so far. */
  stdout = '';
  /** All of standard error so far. */
  stderr = '';

  out(text: string): void {
    this.stdout += text;
  }

  error(text: string): void {
    this.stderr += text;
  }

  /** Standard output as the JSON it should be. */
  json(): unknown {
    return JSON.parse(this.stdout);
  }
}
