// The core over WebAssembly.

import type {
  ContentHasher,
  Core,
  DigestAlgorithm,
  FileDigest,
  FileReference,
  HashFileOptions,
} from './core.ts';
import { CoreFileSizeError } from './core-file-error.ts';
import type { CoreFiles } from './core-files.ts';
import { openInput } from './open-input.ts';
import { forEachPiece, type NextTurn } from './slices.ts';
import type { WasmModule } from './wasm-module.ts';

/** What WebAssembly lacks. */
export interface WasmCoreOptions {
  readonly files: CoreFiles;
  readonly nextTurn: NextTurn;
}

export class WasmCore implements Core {
  readonly flavour = 'wasm';
  readonly version: string;
  readonly #module: WasmModule;
  readonly #files: CoreFiles;
  readonly #nextTurn: NextTurn;

  constructor(module: WasmModule, { files, nextTurn }: WasmCoreOptions) {
    this.version = module.version();
    this.#module = module;
    this.#files = files;
    this.#nextTurn = nextTurn;
  }

  fileId(bytes: Uint8Array): string {
    return this.#module.fileId(bytes);
  }

  contentDigest(algorithm: DigestAlgorithm, bytes: Uint8Array): string {
    return this.#module.contentDigest(algorithm, bytes);
  }

  contentHasher(algorithm: DigestAlgorithm): ContentHasher {
    return new this.#module.ContentHasher(algorithm);
  }

  async hashFile(file: FileReference, options: HashFileOptions): Promise<FileDigest> {
    const { algorithm, expectedSize, signal } = options;
    signal?.throwIfAborted();
    const hasher = this.contentHasher(algorithm);
    const source = await openInput(this.#files, file);
    try {
      checkSize(await source.size(), expectedSize);
      const slices = { ...options, nextTurn: this.#nextTurn };
      const size = await forEachPiece(source, slices, (piece) => hasher.update(piece));
      checkSize(size, expectedSize);
      signal?.throwIfAborted();
      return { digest: hasher.finish(), size };
    } finally {
      await source.close();
    }
  }
}

function checkSize(got: number, expected: number | undefined): void {
  if (expected !== undefined && got !== expected) throw new CoreFileSizeError(got, expected);
}
