// The mirror's use cases, as the routes call them: one sentence each.
// Every method rejects with OciError, or with UpstreamError for the error middleware to translate.

import type { Viewer } from '../access/credential.ts';
import type { Digest } from '../oci/digest.ts';
import type { ManifestReference, Repository } from '../oci/reference.ts';
import type { BlobSource } from '../store/blob-store.ts';
import type { ReceivedList } from '../upstream/upstream.ts';

/** How an answer came about, in the words of RFC 9111; for the log and the metrics. */
export type CacheStatus = 'hit' | 'miss' | 'revalidated' | 'stale';

export interface ManifestAnswer {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly bytes: Uint8Array;
  readonly cache: CacheStatus;
}

export interface BlobAnswer {
  /** Size and bytes; the caller closes it. */
  readonly source: BlobSource;
  readonly cache: CacheStatus;
}

export interface ListAnswer extends ReceivedList {
  readonly cache: CacheStatus;
}

export interface Mirror {
  pullManifest(
    repository: Repository,
    reference: ManifestReference,
    viewer: Viewer,
  ): Promise<ManifestAnswer>;
  pullBlob(repository: Repository, digest: Digest, viewer: Viewer): Promise<BlobAnswer>;
  /** The blob's size, without fetching it. */
  statBlob(
    repository: Repository,
    digest: Digest,
    viewer: Viewer,
  ): Promise<{ readonly size: number; readonly cache: CacheStatus }>;
  listTags(repository: Repository, query: URLSearchParams, viewer: Viewer): Promise<ListAnswer>;
  getReferrers(
    repository: Repository,
    digest: Digest,
    query: URLSearchParams,
    viewer: Viewer,
  ): Promise<ListAnswer>;
}
