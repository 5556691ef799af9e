// Mica's command line on Deno: `deno run -A dist/src/adapter/deno/main.js`.

import { runProgram } from '../../commands/program.ts';
import { processTerminal, untilStopped } from '../node/process.ts';
import { nodeRuntime } from '../node/runtime.ts';
import { denoServing } from './serving.ts';

process.exitCode = await runProgram(process.argv.slice(2), {
  runtime: nodeRuntime(),
  terminal: processTerminal,
  serving: denoServing,
  untilStopped,
});
