// Writes to the index that an answer does not depend on.

import type { Log } from '../log.ts';

/** Does the write; when the disk does not take it, the answer is given all the same. */
export async function noteIfPossible(
  log: Log,
  fields: object,
  write: () => Promise<unknown>,
): Promise<void> {
  try {
    await write();
  } catch (error) {
    log.warn({ err: error, ...fields }, 'the index did not take what was learned');
  }
}
