// Loads the core in the flavour that was asked for.

import type { Core } from './core.ts';
import type { CoreChoice } from './core-choice.ts';
import type { CoreFiles } from './core-files.ts';
import { loadNative } from './load-native.ts';
import { loadWasm } from './load-wasm.ts';
import type { CoreThreads } from './native-core.ts';

export type { CoreThreads } from './native-core.ts';

export interface LoadCoreOptions {
  readonly choice: CoreChoice;
  /** What the WebAssembly core reads and writes. */
  readonly files: CoreFiles;
  /** What the native core has; WebAssembly works on the event loop. */
  readonly threads?: CoreThreads | undefined;
}

export interface LoadedCore {
  /** Its `flavour` says what was loaded. */
  readonly core: Core;
  /** Why it is not the native one, when the choice was `auto`. */
  readonly nativeError?: unknown;
}

/** Rejects with a `LoadCoreError` that says what to do. */
export async function loadCore(options: LoadCoreOptions): Promise<LoadedCore> {
  const { choice, files, threads } = options;
  if (choice === 'wasm') return { core: await loadWasm(files) };
  if (choice === 'native') return { core: loadNative(threads) };
  try {
    return { core: loadNative(threads) };
  } catch (nativeError) {
    return { core: await loadInstead(files, nativeError), nativeError };
  }
}

async function loadInstead(files: CoreFiles, nativeError: unknown): Promise<Core> {
  try {
    return await loadWasm(files);
  } catch (wasmError) {
    const messages = [nativeError, wasmError].map((error) =>
      error instanceof Error ? error.message : String(error),
    );
    throw new AggregateError([nativeError, wasmError], messages.join('\n'));
  }
}
