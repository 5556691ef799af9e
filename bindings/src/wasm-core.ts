// The core over WebAssembly.

import type {
  CheckedPack,
  CheckPackOptions,
  ContentHasher,
  Core,
  DigestAlgorithm,
  FileDigest,
  FileReference,
  HashFileOptions,
  IngestedLayer,
  IngestOptions,
  JobOptions,
  PackedFiles,
  PackFilesOptions,
  Restoration,
  RestoreOptions,
} from './core.ts';
import { CoreFileSizeError } from './core-file-error.ts';
import { openInput, readInput } from './open-input.ts';
import { PartRestoration } from './restoration.ts';
import { readPieces } from './slices.ts';
import { usingFile } from './using-file.ts';
import { ingestLayer, packLayer, type Surroundings } from './wasm-layers.ts';
import type { WasmModule } from './wasm-module.ts';
import { checkPack } from './wasm-packs.ts';
import { openParts } from './wasm-parts.ts';

/** Parts under way at the same time: one is made while another waits for its files. */
const PARTS_AHEAD = 2;

export class WasmCore implements Core {
  readonly flavour = 'wasm';
  readonly version: string;
  readonly #module: WasmModule;
  readonly #surroundings: Surroundings;

  constructor(module: WasmModule, surroundings: Surroundings) {
    this.version = module.version();
    this.#module = module;
    this.#surroundings = surroundings;
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
    const { files, nextTurn } = this.#surroundings;
    return await usingFile(openInput(files, file), async (source) => {
      checkSize(await source.size(), expectedSize);
      let size = 0;
      for await (const piece of readPieces(source, { ...options, nextTurn })) {
        hasher.update(piece);
        size += piece.length;
      }
      checkSize(size, expectedSize);
      signal?.throwIfAborted();
      return { digest: hasher.finish(), size };
    });
  }

  ingest(layer: FileReference, options: IngestOptions): Promise<IngestedLayer> {
    return ingestLayer(this.#module, this.#surroundings, layer, options);
  }

  packFiles(layer: FileReference, options: PackFilesOptions): Promise<PackedFiles> {
    return packLayer(this.#module, this.#surroundings, layer, options);
  }

  checkPack(pack: FileReference, options: CheckPackOptions = {}): Promise<CheckedPack> {
    return checkPack(this.#module, this.#surroundings, pack, options);
  }

  fileIds(recipe: FileReference, options: JobOptions = {}): Promise<Uint8Array> {
    return this.#ofRecipe(recipe, options, (bytes) => this.#module.fileIds(bytes));
  }

  fileSizes(recipe: FileReference, options: JobOptions = {}): Promise<Uint8Array> {
    return this.#ofRecipe(recipe, options, (bytes) => this.#module.fileSizes(bytes));
  }

  async openRestoration(options: RestoreOptions & JobOptions): Promise<Restoration> {
    const parts = await openParts(this.#module, this.#surroundings, options);
    return new PartRestoration(parts, PARTS_AHEAD);
  }

  async #ofRecipe(
    recipe: FileReference,
    { signal }: JobOptions,
    read: (bytes: Uint8Array) => Uint8Array,
  ): Promise<Uint8Array> {
    signal?.throwIfAborted();
    const bytes = await readInput(this.#surroundings.files, recipe);
    signal?.throwIfAborted();
    return read(bytes);
  }
}

function checkSize(got: number, expected: number | undefined): void {
  if (expected !== undefined && got !== expected) throw new CoreFileSizeError(got, expected);
}
