// What is made once and kept: programs, layers and streams, below the project's `.cache` folder.

import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';

/** The project's root folder, seen from `bindings/dist/test/streams`. */
export const PROJECT_FOLDER: string = fileURLToPath(new URL('../../../../', import.meta.url));

/** This folder's sources: those in other languages are built from here. */
export const SOURCES_FOLDER: string = join(PROJECT_FOLDER, 'bindings', 'test', 'streams');

/** Git ignores it; removing it costs only the time to make it again. */
export const CACHE_FOLDER: string = join(PROJECT_FOLDER, '.cache', 'streams');

/**
 * Gives `path` after making it, unless it is there. `make` writes to the path that it is given, which
 * gets its name only when `make` succeeds: what is there is whole, also after a crash.
 */
export async function makeOnce(
  path: string,
  make: (part: string) => Promise<void>,
): Promise<string> {
  if (existsSync(path)) return path;
  await mkdir(dirname(path), { recursive: true });
  const part = join(dirname(path), `.${randomUUID()}-${basename(path)}`);
  try {
    await make(part);
    await rename(part, path);
  } catch (error) {
    // Another process may have made the same folder meanwhile.
    if (!existsSync(path)) throw error;
  } finally {
    await rm(part, { recursive: true, force: true });
  }
  return path;
}

/** SHA-256 of a file, in hex. */
export async function hashFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

/** A name for what depends on all of `parts`. */
export function keyOf(parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${part.length}:`).update(part);
  return hash.digest('hex').slice(0, 12);
}
