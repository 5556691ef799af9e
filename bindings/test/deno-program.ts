// Runs the contract on Deno and prints one line of JSON for each check. Arguments: the flavour.

import { argv } from 'node:process';
import { parseCoreChoice } from '../src/core-choice.ts';
import { loadCore } from '../src/load-core.ts';
import { nodeFiles } from '../src/node-files.ts';
import { coreContract } from './contract.ts';

const { core } = await loadCore({ choice: parseCoreChoice(argv[2]), files: nodeFiles });

for (const { title, run } of coreContract) {
  let problem: string | undefined;
  try {
    await run(core);
  } catch (error) {
    problem = error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
  console.log(JSON.stringify({ title, problem }));
}
