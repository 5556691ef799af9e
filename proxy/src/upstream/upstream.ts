// A registry Mica pulls from, as the pull side of the distribution specification.

import type { ClientCredential } from '../access/credential.ts';
import type { Digest } from '../oci/digest.ts';
import type { ManifestReference, RepositoryName } from '../oci/reference.ts';

export interface UpstreamRequestOptions {
  /** The client's own credential, where pass-through is configured; else the configured one is used. */
  readonly credential?: ClientCredential | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What an upstream says of a manifest without sending it. */
export interface ManifestHead {
  /** Absent when the registry sent no Docker-Content-Digest. */
  readonly digest?: Digest;
  readonly mediaType?: string;
  readonly size?: number;
}

export interface ReceivedManifest {
  readonly bytes: Uint8Array;
  /** The Content-Type as received, without parameters. */
  readonly mediaType: string;
  /** Docker-Content-Digest as received; not checked. */
  readonly digest?: Digest;
}

/** A blob's bytes on their way. They are not checked. */
export interface ReceivedBlob {
  /** Position of the first byte in the blob; 0 when the registry ignored the Range. */
  readonly start: number;
  /** Size of the whole blob, when the registry said so. */
  readonly size: number | undefined;
  /** Chunks; throws UpstreamError when the body breaks or stalls. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Ends the transfer; calling it after the end is fine. */
  cancel(): void;
}

export interface ReceivedList {
  readonly bytes: Uint8Array;
  readonly mediaType: string;
  /** `last` and `n` of the Link header's next page, when there is one. */
  readonly next?: string;
  /** OCI-Filters-Applied as received. */
  readonly filtersApplied?: string;
}

/** Every method rejects with UpstreamError. */
export interface Upstream {
  readonly name: string;
  readonly passThrough: boolean;
  headManifest(
    repository: RepositoryName,
    reference: ManifestReference,
    options: UpstreamRequestOptions,
  ): Promise<ManifestHead>;
  /** Reads a manifest; rejects with `too-large` when it has more than 4 MiB. */
  getManifest(
    repository: RepositoryName,
    reference: ManifestReference,
    options: UpstreamRequestOptions,
  ): Promise<ReceivedManifest>;
  /** Size of a blob, undefined when the registry did not say. */
  headBlob(
    repository: RepositoryName,
    digest: Digest,
    options: UpstreamRequestOptions,
  ): Promise<number | undefined>;
  /** Starts a transfer from `start`. `attempt` counts from 0 and moves on to the next configured URL. */
  openBlob(
    repository: RepositoryName,
    digest: Digest,
    start: number,
    attempt: number,
    options: UpstreamRequestOptions,
  ): Promise<ReceivedBlob>;
  /** One page of the tag list; `query` is passed on as checked by the route. */
  listTags(
    repository: RepositoryName,
    query: URLSearchParams,
    options: UpstreamRequestOptions,
  ): Promise<ReceivedList>;
  getReferrers(
    repository: RepositoryName,
    digest: Digest,
    query: URLSearchParams,
    options: UpstreamRequestOptions,
  ): Promise<ReceivedList>;
  /** For stats and readiness: circuit and rate limit. */
  status(): UpstreamStatus;
  close(): Promise<void>;
}

export interface UpstreamStatus {
  readonly name: string;
  readonly circuit: 'closed' | 'open' | 'half-open';
  readonly requests: number;
  readonly failures: number;
  readonly bytesReceived: number;
  readonly rateLimit?: {
    readonly limit?: number;
    readonly remaining?: number;
    readonly windowSeconds?: number;
  };
}

/**
 * What went wrong, in the terms that decide what happens next:
 * `unauthorized` 401, `denied` 403, `not-found` 404, `rate-limited` 429, `unavailable` 5xx or an open
 * circuit, `transport` no or a broken answer, `refused` an address or realm the guard does not allow,
 * `invalid` an answer that is not what was asked for (wrong type, wrong range),
 * `too-large` a manifest or list of more bytes than Mica reads, `out-of-range` 416.
 */
export type UpstreamErrorKind =
  | 'unauthorized'
  | 'denied'
  | 'not-found'
  | 'rate-limited'
  | 'unavailable'
  | 'transport'
  | 'refused'
  | 'invalid'
  | 'too-large'
  | 'out-of-range';

export interface UpstreamErrorOptions {
  readonly status?: number | undefined;
  readonly retryAfterSeconds?: number | undefined;
  readonly cause?: unknown;
}

export class UpstreamError extends Error {
  override readonly name = 'UpstreamError';
  readonly upstream: string;
  readonly kind: UpstreamErrorKind;
  readonly status: number | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(
    upstream: string,
    kind: UpstreamErrorKind,
    message: string,
    options: UpstreamErrorOptions = {},
  ) {
    super(
      `${upstream}: ${message}`,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.upstream = upstream;
    this.kind = kind;
    this.status = options.status;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}
