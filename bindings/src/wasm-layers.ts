// Layers taken apart and their files packed, by the WebAssembly core.

import type {
  FileReference,
  IngestedLayer,
  IngestOptions,
  PackedFiles,
  PackFilesOptions,
} from './core.ts';
import type { ByteSource, CoreFiles } from './core-files.ts';
import { openInput, readInput } from './open-input.ts';
import { appendOutput, createOutput, type Output } from './open-output.ts';
import { type NextTurn, readPieces, runSteps, type SliceOptions } from './slices.ts';
import { usingFile } from './using-file.ts';
import type { WasmLayerIngest, WasmLayerPacker, WasmModule } from './wasm-module.ts';

/** What WebAssembly lacks. */
export interface Surroundings {
  readonly files: CoreFiles;
  readonly nextTurn: NextTurn;
}

/** Bytes of a pack's header (core-rs/doc/pack-format.md). */
const PACK_HEADER_SIZE = 16;

/** `ingest()` of the core. */
export async function ingestLayer(
  module: WasmModule,
  { files, nextTurn }: Surroundings,
  layer: FileReference,
  options: IngestOptions,
): Promise<IngestedLayer> {
  const slices = { ...options, nextTurn };
  slices.signal?.throwIfAborted();
  const { algorithm = 'sha256', tarLimit, isProvenLater } = options;
  const ingest = new module.LayerIngest(algorithm, tarLimit, isProvenLater);
  try {
    return await usingFile(openInput(files, layer), (source) =>
      usingFile(createOutput(files, options.recipe), (recipe) =>
        writeRecipe(ingest, source, recipe, slices),
      ),
    );
  } finally {
    ingest.free();
  }
}

async function writeRecipe(
  ingest: WasmLayerIngest,
  source: ByteSource,
  recipe: Output,
  slices: SliceOptions,
): Promise<IngestedLayer> {
  const step = (): boolean => ingest.step();
  const write = (): Promise<void> => recipe.write(ingest.take());
  for await (const piece of readPieces(source, slices)) {
    ingest.add(piece);
    await runSteps(step, slices, write);
  }
  ingest.finishInput();
  await runSteps(step, slices, write);
  const { bytes, ingested } = ingest.finish();
  await recipe.write(bytes);
  await recipe.sync();
  slices.signal?.throwIfAborted();
  return ingested;
}

/** `packFiles()` of the core. */
export async function packLayer(
  module: WasmModule,
  { files, nextTurn }: Surroundings,
  layer: FileReference,
  options: PackFilesOptions,
): Promise<PackedFiles> {
  const slices = { ...options, nextTurn };
  slices.signal?.throwIfAborted();
  return await usingFile(openInput(files, layer), async (source) => {
    const recipe = await readInput(files, options.recipe);
    const appended = appendOutput(files, options.pack, PACK_HEADER_SIZE);
    return await usingFile(appended, async ({ output, front }) => {
      const packer = new module.LayerPacker(recipe, options.files, output.size, front);
      try {
        return await writePack(packer, source, output, slices);
      } finally {
        packer.free();
      }
    });
  });
}

async function writePack(
  packer: WasmLayerPacker,
  source: ByteSource,
  pack: Output,
  slices: SliceOptions,
): Promise<PackedFiles> {
  const step = (): boolean => packer.step();
  const write = (): Promise<void> => pack.write(packer.take());
  if (!packer.isDone())
    for await (const piece of readPieces(source, slices)) {
      packer.add(piece);
      await runSteps(step, slices, write);
      if (packer.isDone()) break;
    }
  packer.finishInput();
  await runSteps(step, slices, write);
  const { bytes, packed } = packer.finish();
  await pack.write(bytes);
  await pack.sync();
  slices.signal?.throwIfAborted();
  return packed;
}
