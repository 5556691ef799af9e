// Which blobs lie whole in a data folder.

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

const PATH = /(sha256|sha512)\/[0-9a-f]{2}\/([0-9a-f]+)$/;

/** Digests of all files under `blobs/`. */
export async function wholeBlobs(data: string): Promise<ReadonlySet<string>> {
  const names = await readdir(join(data, 'blobs'), { recursive: true });
  return new Set(
    names.flatMap((name) => {
      const [, algorithm, hex] = PATH.exec(name) ?? [];
      return hex === undefined ? [] : [`${algorithm}:${hex}`];
    }),
  );
}
