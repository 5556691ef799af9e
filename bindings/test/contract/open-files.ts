// What this process has open.

import { readdir, readlink } from 'node:fs/promises';

/** How many descriptors of this process lead into a folder. */
export async function countOpen(folder: string): Promise<number> {
  const descriptors = await readdir('/proc/self/fd');
  const targets = await Promise.all(
    descriptors.map((name) => readlink(`/proc/self/fd/${name}`).catch(() => '')),
  );
  return targets.filter((target) => target.startsWith(folder)).length;
}
