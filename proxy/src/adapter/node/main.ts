// Mica's command line on Node.

import { runProgram } from '../../commands/program.ts';
import { processTerminal, untilStopped } from './process.ts';
import { nodeRuntime } from './runtime.ts';
import { nodeServing } from './serving.ts';

process.exitCode = await runProgram(process.argv.slice(2), {
  runtime: nodeRuntime(),
  terminal: processTerminal,
  serving: nodeServing,
  untilStopped,
});
