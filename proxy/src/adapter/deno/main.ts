// Mica's command line on Deno: `deno run -A dist/src/adapter/deno/main.js`.

import { runProgram } from '../../commands/program.ts';
import { processTerminal, untilStopped } from '../node/process.ts';
import { nodeRuntime } from '../node/runtime.ts';
import { denoServing } from './serving.ts';

const exitCode = await runProgram(process.argv.slice(2), {
  runtime: nodeRuntime(),
  terminal: processTerminal,
  serving: denoServing,
  untilStopped,
});
// Idle connections of a server that was drained would keep the process.
process.stdout.write('', () => process.exit(exitCode));
