// The digest of a layer as it comes out when it is made again.

import type { Core, DigestAlgorithm, Restoration } from 'mica-core/core';

/** Makes the whole layer and closes it. Rejects with the core's error, and when it is aborted. */
export async function hashRestoration(
  core: Pick<Core, 'contentHasher'>,
  restoration: Restoration,
  algorithm: DigestAlgorithm,
  signal?: AbortSignal,
): Promise<string> {
  const hasher = core.contentHasher(algorithm);
  try {
    for await (const piece of restoration.read({ signal })) hasher.update(piece);
  } finally {
    await restoration.close();
  }
  return hasher.finish();
}
