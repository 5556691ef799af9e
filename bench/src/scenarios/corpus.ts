// The corpus: real images, built once and kept in a folder, that storage is measured with.
import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { buildCorpus } from '../corpus/build.ts';
import { loadCorpus } from '../corpus/corpus-file.ts';
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
  bench.say(`${images.length} images`);
  return { results: {}, tables: [], aims: [], wrong: [] };
}
