// The contract on Deno: one process runs it, and each check is a test here.

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { TestFn } from 'ava';
import type { CoreFlavour } from '../src/core.ts';
import { coreContract } from './contract.ts';

/** Deno's own file, past the script of the npm package, so that a signal reaches it. */
const DENO = fileURLToPath(new URL('../../../node_modules/deno/deno', import.meta.url));
const PROGRAM = fileURLToPath(new URL('deno-program.js', import.meta.url));

/** The problem of each check that was run; undefined when it has none. */
type Outcomes = ReadonlyMap<string, string | undefined>;

async function runContract(flavour: CoreFlavour): Promise<Outcomes> {
  const deno = spawn(DENO, ['run', '-A', '--no-lock', '--quiet', PROGRAM, flavour], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const outcomes = new Map<string, string | undefined>();
  for await (const line of createInterface(deno.stdout)) {
    const { title, problem } = JSON.parse(line);
    outcomes.set(title, problem);
  }
  return outcomes;
}

/** Declares the contract's tests for a core that Deno runs. */
export function testCoreOnDeno(test: TestFn, flavour: CoreFlavour): void {
  let outcomes: Outcomes = new Map();
  test.before(async (t) => {
    // The whole contract is this one hook to ava.
    t.timeout(600_000);
    outcomes = await runContract(flavour);
  });
  for (const { title } of coreContract)
    test(`${flavour} on Deno: ${title}`, (t) => {
      t.true(outcomes.has(title), 'Deno ended before it');
      t.is(outcomes.get(title), undefined);
    });
}
