// Packs checked by the WebAssembly core.

import type { CheckedPack, CheckPackOptions, FileReference } from './core.ts';
import { openInput, readFully } from './open-input.ts';
import { usingFile } from './using-file.ts';
import type { Surroundings } from './wasm-layers.ts';
import type { WasmModule } from './wasm-module.ts';

/** `checkPack()` of the core: a turn for everything else after each block. */
export async function checkPack(
  module: WasmModule,
  { files, nextTurn }: Surroundings,
  pack: FileReference,
  options: CheckPackOptions,
): Promise<CheckedPack> {
  const { signal, onProgress } = options;
  signal?.throwIfAborted();
  return await usingFile(openInput(files, pack), async (source) => {
    const check = new module.PackCheck(options.size ?? (await source.size()));
    try {
      for (let wanted = check.wanted(); wanted !== undefined; wanted = check.wanted()) {
        const [offset = 0, length = 0] = wanted;
        check.give(await readFully(source, offset, length));
        onProgress?.(offset);
        await nextTurn();
        signal?.throwIfAborted();
      }
      return check.finish();
    } finally {
      check.free();
    }
  });
}
