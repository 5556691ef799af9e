// Makes a layer again from its recipe and files before anything counts on them.

import type { Core } from 'mica-core/core';
import { type Digest, digestAlgorithm } from '../oci/digest.ts';
import type { Clock } from '../runtime/runtime.ts';
import type { LocatedFiles } from './file-index.ts';
import { hashRestoration } from './hash-restoration.ts';
import type { PackStore } from './pack-store.ts';

export interface ProofParts {
  readonly core: Core;
  readonly packs: PackStore;
  readonly clock: Pick<Clock, 'now'>;
}

export interface ProveLayerOptions {
  readonly digest: Digest;
  /** Path of its recipe. */
  readonly recipe: string;
  readonly located: LocatedFiles;
  readonly signal: AbortSignal;
  /** Hears the bytes of the layer that came out so far. */
  onProgress(done: number): void;
}

/** The layer came out as another one; what is wrong is in a pack, or in the core. */
export class WrongRestoreError extends Error {
  override readonly name = 'WrongRestoreError';
  readonly code = 'RESTORE_DIGEST';
  readonly got: string;

  constructor(digest: Digest, got: string) {
    super(`${digest} comes out as ${got}`);
    this.got = got;
  }
}

/** Gives the seconds that it took; rejects with WrongRestoreError when another layer comes out. */
export async function proveLayer(parts: ProofParts, options: ProveLayerOptions): Promise<number> {
  const { core, packs, clock } = parts;
  const { digest, recipe, located, signal, onProgress } = options;
  const { places, packs: numbers } = located;
  const startedMs = clock.now();
  const paths = numbers.map((number) => packs.path(number));
  const restoration = await core.openRestoration({ recipe, packs: paths, places, signal });
  const algorithm = digestAlgorithm(digest);
  const restored = await hashRestoration(core, restoration, algorithm, signal, onProgress);
  if (restored !== digest) throw new WrongRestoreError(digest, restored);
  return (clock.now() - startedMs) / 1000;
}
