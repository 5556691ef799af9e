// The core that is measured: the addon.
import type { Core } from 'mica-core/core';
import { loadCore } from 'mica-core/load-core';
import { nodeFiles } from 'mica-core/node-files';

/** @param workers Threads; as many as the machine can run at once when absent. */
export async function loadNativeCore(workers?: number): Promise<Core> {
  const { core } = await loadCore({ choice: 'native', files: nodeFiles, threads: { workers } });
  return core;
}
