// Which blobs are layers, as the manifests say: configs, charts and other blobs are not taken apart.

import type { Digest } from '../oci/digest.ts';
import type { Descriptor } from '../oci/manifest.ts';
import { isLayerMediaType } from '../oci/media-type.ts';
import type { Index } from '../store/index.ts';

export class LayerNames {
  #names: Set<Digest> = new Set();

  has(digest: Digest): boolean {
    return this.#names.has(digest);
  }

  /** Notes what a manifest names. */
  learn(blobs: readonly Descriptor[]): void {
    for (const { digest, mediaType } of blobs) {
      if (isLayerMediaType(mediaType)) this.#names.add(digest);
    }
  }

  /** Reads all manifests; what none names any more is forgotten. */
  async readAll(index: Pick<Index, 'listManifests'>): Promise<void> {
    const before = this.#names;
    this.#names = new Set();
    try {
      for await (const { blobs } of index.listManifests()) this.learn(blobs);
    } catch (error) {
      for (const digest of before) this.#names.add(digest);
      throw error;
    }
  }
}
