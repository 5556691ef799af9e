// Everything Mica needs of Node, and of Deno through its node: modules.

import { homedir, tmpdir, userInfo } from 'node:os';
import { loadCore } from 'mica-core/load-core';
import { nodeFiles as coreFiles } from 'mica-core/node-files';
import type { Runtime } from '../../runtime/runtime.ts';
import { systemClock } from './clock.ts';
import { nodeFiles } from './files.ts';
import { ThreadedHashing } from './hashing.ts';
import { nodeNetwork } from './network.ts';
import { nodeProcesses } from './processes.ts';

function runtimeName(): string {
  const deno = process.versions['deno'];
  return deno === undefined ? `node ${process.versions.node}` : `deno ${deno}`;
}

/** In a container the user is often a number without a name, and then has no entry to read. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? 'unknown');
  }
}

/** The runtime of this process. Its threads start when a file is first hashed. */
export function nodeRuntime(): Runtime {
  return {
    name: runtimeName(),
    files: nodeFiles,
    hashing: new ThreadedHashing(),
    clock: systemClock,
    processes: nodeProcesses,
    network: nodeNetwork,
    loadCore: (choice, threads) => loadCore({ choice, files: coreFiles, threads }),
    environment: process.env,
    workingDirectory: process.cwd(),
    homeDirectory: homedir(),
    temporaryDirectory: tmpdir(),
    isRoot: process.getuid?.() === 0,
    userName: userName(),
  };
}
