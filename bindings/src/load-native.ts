// Loads the addon. Node and Deno both can, Deno with --allow-ffi.

import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { Core } from './core.ts';
import { LoadCoreError } from './load-core-error.ts';
import { type CoreThreads, NativeCore } from './native-core.ts';
import type { NativeModule } from './native-module.ts';

const ADDON = new URL('../native/mica-core.node', import.meta.url);

export function loadNative(threads: CoreThreads = {}): Core {
  const path = fileURLToPath(ADDON);
  try {
    const module: NativeModule = createRequire(import.meta.url)(path);
    return new NativeCore(module, threads);
  } catch (cause) {
    throw new LoadCoreError('native', path, { cause });
  }
}
