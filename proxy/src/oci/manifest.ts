// What Mica needs to know of a manifest or index: its children. The bytes are kept as received.
// Source: https://github.com/opencontainers/image-spec/blob/v1.1.1/manifest.md and image-index.md

import type { Digest } from './digest.ts';

/** Largest manifest that is accepted, in bytes: what the specification asks registries to take.
 * https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-manifests */
export const MAX_MANIFEST_SIZE: number = 4 * 1024 * 1024;

export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}

/** A child of a manifest: what it is, how large, and for whom. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly platform?: Platform;
  /** True for layers that are not to be distributed and may be absent at the registry. */
  readonly foreign?: boolean;
}

/** A manifest's own media type and children, as far as they are stored and served. */
export interface Manifest {
  readonly mediaType: string;
  /** Manifests named by an index. */
  readonly manifests: readonly Descriptor[];
  /** Config and layers of an image or artifact. */
  readonly blobs: readonly Descriptor[];
}
