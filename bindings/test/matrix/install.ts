// Makes everything that the matrix needs and that lasts: compressors, layers and streams. What cannot
// be had is named, and left out there. Run: `node bindings/dist/test/matrix/install.js`.

import { installStreamPrograms } from '../streams/install.ts';
import { makeStreams } from '../streams/streams.ts';
import { makeCases } from './cases.ts';

/** What could not be made, as lines for a reader. */
async function install(): Promise<readonly string[]> {
  const problems = [...(await installStreamPrograms())];
  for (const { layer, compressors } of await makeCases()) {
    if (layer instanceof Error) problems.push(layer.message);
    else await makeStreams({ layers: [layer], compressors });
  }
  return problems;
}

for (const problem of await install())
  console.log(`not installed: ${problem.trim().split('\n')[0]}`);
