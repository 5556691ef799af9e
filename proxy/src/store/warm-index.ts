// Reads the index once, so that the system has it in memory: it is a mapped file, and whoever touches a
// page that is not there waits for the disk on the event loop, 5 ms at a time and several times for the
// first request after a start.

import type { Files } from '../runtime/runtime.ts';

/** Bytes that are read at most: an index of some millions of files. Above it the system's memory may be too small. */
const MAX_SIZE = 512 * 1024 * 1024;

/** Bytes read at once. */
const PIECE_SIZE = 1024 * 1024;

/** `folder` is the data folder. Ends early when it is aborted; rejects with the file's error. */
export async function warmIndex(
  folder: string,
  files: Pick<Files, 'open'>,
  signal: AbortSignal,
): Promise<void> {
  const file = await files.open(`${folder}/index/data.mdb`, 'read');
  try {
    const piece = new Uint8Array(PIECE_SIZE);
    for (let position = 0; position < MAX_SIZE && !signal.aborted; ) {
      const count = await file.read(piece, position);
      if (count === 0) return;
      position += count;
    }
  } finally {
    await file.close();
  }
}
