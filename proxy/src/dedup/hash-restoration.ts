// The digest of a layer as it comes out when it is made again.

import type { Core, DigestAlgorithm, Restoration } from 'mica-core/core';

/** Makes the whole layer and closes it. Progress is bytes of the layer. Rejects with the core's error, and when it is aborted. */
export async function hashRestoration(
  core: Pick<Core, 'contentHasher'>,
  restoration: Restoration,
  algorithm: DigestAlgorithm,
  signal?: AbortSignal,
  onProgress?: (done: number) => void,
): Promise<string> {
  const hasher = core.contentHasher(algorithm);
  let done = 0;
  try {
    for await (const piece of restoration.read({ signal })) {
      hasher.update(piece);
      done += piece.length;
      onProgress?.(done);
    }
  } finally {
    await restoration.close();
  }
  return hasher.finish();
}
