// One layer taken apart and made again in a temporary folder.

import type { Core, IngestedLayer } from 'mica-core/core';
import { hashRestoration } from '../dedup/hash-restoration.ts';
import { placePacked } from '../dedup/located-layer.ts';
import type { Runtime } from '../runtime/runtime.ts';

/** What is known of a layer; null where it could not be taken apart. Sizes are bytes. */
export interface CheckedLayer {
  readonly file: string;
  readonly digest: string | null;
  readonly diffId: string | null;
  /**
   * `none` when the layer is a plain tar, `zstd` for all zstd layers; null when no model knows who
   * compressed it.
   */
  readonly compressor: string | null;
  readonly level: number | null;
  /** Whether the layer that was made again is the same. */
  readonly exact: boolean;
  /** Why not. */
  readonly reason: string | null;
  readonly bytes: LayerBytes;
  /** Files with content. */
  readonly files: number;
  /** Those whose content is that of an earlier one. */
  readonly duplicates: number;
  readonly seconds: { readonly ingest: number; readonly restore: number };
}

export interface LayerBytes {
  readonly compressed: number;
  readonly tar: number;
  /** The whole recipe: the next five, its table of segments and the layer's framing. */
  readonly recipe: number;
  readonly skeleton: number;
  /** Ids of files, and where they are. */
  readonly references: number;
  readonly headers: number;
  readonly corrections: number;
  /** Stretches that no model knows. */
  readonly raw: number;
  /** Of all files. */
  readonly files: number;
}

export interface CheckLayerOptions {
  readonly runtime: Runtime;
  readonly core: Core;
  readonly file: string;
  /** Bytes of the layer that were worked on, of all that will be: each is read three times. */
  readonly onProgress: (done: number, total: number) => void;
}

const NO_BYTES: LayerBytes = {
  ...{ compressed: 0, tar: 0, recipe: 0, skeleton: 0, references: 0 },
  ...{ headers: 0, corrections: 0, raw: 0, files: 0 },
};

/** What is said of a layer when nobody knows who compressed it. */
const NAMES = { identity: 'none', gzip: null, zstd: 'zstd' } as const;

/** Never rejects because of the layer: then it says why it is not exact. */
export async function checkLayer(options: CheckLayerOptions): Promise<CheckedLayer> {
  const { runtime, file } = options;
  const { files, temporaryDirectory } = runtime;
  const folder = `${temporaryDirectory}/mica-layer-${crypto.randomUUID()}`;
  const paths = { recipe: `${folder}/recipe`, pack: `${folder}/pack` };
  try {
    await files.makeDirectory(folder);
    return await checkIn(paths, options);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return {
      ...{ file, digest: null, diffId: null, compressor: null, level: null },
      ...{ exact: false, reason: error.message, bytes: NO_BYTES, files: 0, duplicates: 0 },
      seconds: { ingest: 0, restore: 0 },
    };
  } finally {
    await Promise.all(Object.values(paths).map((path) => files.remove(path)));
    await files.removeDirectory(folder);
  }
}

interface Paths {
  readonly recipe: string;
  readonly pack: string;
}

async function checkIn(paths: Paths, options: CheckLayerOptions): Promise<CheckedLayer> {
  const { core, file, runtime, onProgress } = options;
  const { clock } = runtime;
  const size = (await runtime.files.stat(file))?.size ?? 0;
  const pass = (done: number) => (bytes: number) => onProgress(done * size + bytes, 3 * size);
  const started = clock.now();
  const ingested = await core.ingest(file, { recipe: paths.recipe, onProgress: pass(0) });
  const ingestMs = clock.now() - started;
  if (ingested.inexact !== undefined) return inexactLayer(file, ingested, ingestMs);
  const { recipe, pack } = paths;
  const packed = await core.packFiles(file, { recipe, pack, onProgress: pass(1) });
  const ids = await core.fileIds(recipe);
  const places = placePacked(ids, packed.files, packed.places);
  const restoring = clock.now();
  const restoration = await core.openRestoration({ recipe, packs: [pack], places });
  const restored = await hashRestoration(core, restoration, 'sha256', undefined, pass(2));
  const restoreMs = clock.now() - restoring;
  const { digest } = ingested.summary;
  return {
    file,
    ...known(ingested),
    exact: restored === digest,
    reason: restored === digest ? null : `comes out as ${restored}, expected ${digest}`,
    duplicates: ingested.summary.files - packed.files.length,
    seconds: { ingest: ingestMs / 1000, restore: restoreMs / 1000 },
  };
}

/** A layer whose files are known, but which nobody can make again. */
function inexactLayer(file: string, ingested: IngestedLayer, ingestMs: number): CheckedLayer {
  return {
    file,
    ...known(ingested),
    exact: false,
    reason: ingested.inexact?.message ?? null,
    duplicates: 0,
    seconds: { ingest: ingestMs / 1000, restore: 0 },
  };
}

function known(ingested: IngestedLayer) {
  const { summary, compressor, level, sectionSizes } = ingested;
  const { digest, diffId, files, size, tarSize, encoding } = summary;
  const bytes: LayerBytes = {
    compressed: size,
    tar: tarSize,
    recipe: ingested.recipeSize,
    skeleton: sectionSizes.skeleton,
    references: sectionSizes.files + sectionSizes.references,
    headers: sectionSizes.blocks,
    corrections: sectionSizes.corrections,
    raw: sectionSizes.raw,
    files: ingested.fileSize,
  };
  const name = compressor ?? NAMES[encoding];
  return { digest, diffId, files, bytes, compressor: name, level: level ?? null };
}
