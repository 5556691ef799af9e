// Loads the WebAssembly core, on Node and on Deno.

import { readFile } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Core } from './core.ts';
import type { CoreFiles } from './core-files.ts';
import { LoadCoreError } from './load-core-error.ts';
import { WasmCore } from './wasm-core.ts';
import type { WasmModule } from './wasm-module.ts';

/** Written by wasm-pack, `--target web`. */
const SCRIPT = new URL('../wasm/mica-core.js', import.meta.url);
const MODULE = new URL('../wasm/mica-core_bg.wasm', import.meta.url);

interface Script extends WasmModule {
  initSync(options: { readonly module: WebAssembly.Module }): unknown;
}

/** @param files What the core reads and writes. */
export async function loadWasm(files: CoreFiles): Promise<Core> {
  try {
    const script: Script = await import(SCRIPT.href);
    const bytes = await readFile(MODULE);
    script.initSync({ module: await WebAssembly.compile(bytes) });
    return new WasmCore(script, { files, nextTurn: () => setImmediate() });
  } catch (cause) {
    throw new LoadCoreError('wasm', fileURLToPath(MODULE), { cause });
  }
}
