// crane pushes what dockerd made: its layers are Go's gzip too, at levels of its own.
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Cleanup } from '../lib/cleanup.ts';
import { findProgram } from '../peers/find-program.ts';
import { type Engine, remoteName } from './engine.ts';
import type { CopiedImage } from './recipes.ts';
import { runLogged } from './run-logged.ts';

export interface CraneOptions {
  readonly dockerd: Engine;
  readonly host: string;
  /** For archives. */
  readonly folder: string;
  readonly cleanup: Cleanup;
}

/** Pushes an image's archive as `docker save` writes it, or an image's files as one layer. */
export async function pushByCrane(
  image: CopiedImage,
  log: string,
  { dockerd, host, folder, cleanup }: CraneOptions,
): Promise<void> {
  const crane = [findProgram('crane') ?? 'crane', '--insecure'];
  const target = remoteName(host, image);
  if (image.kind === 'flat') {
    const flatten = ['flatten', remoteName(host, image.from), '--tag', target];
    await runLogged([...crane, ...flatten], { log, cleanup });
    return;
  }
  const archive = join(folder, `${image.family}-${image.tag}.tar`);
  try {
    await dockerd.save?.(image.from, archive, log);
    await runLogged([...crane, 'push', archive, target], { log, cleanup });
  } finally {
    await rm(archive, { force: true });
  }
}
