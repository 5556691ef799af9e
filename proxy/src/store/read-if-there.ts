// Reads a small text file that may be absent.

import type { Runtime } from '../runtime/runtime.ts';
import { hasCode } from './file-error.ts';

/** The file's text; undefined when there is none. */
export async function readIfThere(path: string, runtime: Runtime): Promise<string | undefined> {
  try {
    return await runtime.files.readText(path);
  } catch (error) {
    // ESRCH: an entry in /proc whose process ended while it was read.
    if (hasCode(error, 'ENOENT') || hasCode(error, 'ESRCH')) return undefined;
    throw error;
  }
}
