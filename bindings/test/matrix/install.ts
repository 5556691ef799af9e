// Makes everything that the matrix needs: compressors, layers and streams; what cannot be had is named.
// With `--packages` only Debian's packages, as apt refuses a second caller.

import { installPackages, installStreamPrograms } from '../streams/install.ts';
import { makeStreams } from '../streams/streams.ts';
import { makeCases } from './cases.ts';

async function run(): Promise<readonly string[]> {
  if (process.argv.includes('--packages')) return await installPackages();
  const problems = [...(await installStreamPrograms())];
  for (const { layer, compressors } of await makeCases()) {
    if (layer instanceof Error) problems.push(layer.message);
    else await makeStreams({ layers: [layer], compressors });
  }
  return problems;
}

for (const problem of await run()) console.log(`not installed: ${problem.trim().split('\n')[0]}`);
