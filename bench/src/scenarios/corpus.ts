// The corpus: real images, built once and kept in a folder, that storage is measured with.
import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { buildCorpus } from '../corpus/build.ts';
import { loadCorpus } from '../corpus/corpus-file.ts';
import { readLayers } from '../corpus/read-layers.ts';
import { measureShape } from '../corpus/shape.ts';
import { tabulateShape } from '../corpus/shape-table.ts';
import type { Bench, Outcome } from '../lib/bench.ts';

export interface CorpusOptions {
  readonly folder: string;
  readonly isSmall: boolean;
  /** Measures a corpus that is there and builds nothing. */
  readonly isShapeOnly: boolean;
}

export async function runCorpus(bench: Bench, options: CorpusOptions): Promise<Outcome> {
  const folder = resolve(options.folder);
  if (!options.isShapeOnly) {
    await mkdir(folder, { recursive: true });
    await buildCorpus(bench, { folder, isSmall: options.isSmall });
  }
  const images = await loadCorpus(folder);
  const shape = measureShape(images, await readLayers(folder, images));
  return { results: shape, tables: [tabulateShape(shape)], aims: [], wrong: [] };
}
