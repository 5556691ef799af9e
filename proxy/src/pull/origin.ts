// Where a blob can be had: a repository of an upstream, and in whose name it is asked for.

import type { ClientCredential } from '../access/credential.ts';
import type { Digest } from '../oci/digest.ts';
import type { RepositoryName } from '../oci/reference.ts';
import type { ReceivedBlob, Upstream } from '../upstream/upstream.ts';

export interface Origin {
  readonly upstream: Upstream;
  readonly repository: RepositoryName;
  readonly credential?: ClientCredential | undefined;
}

/** Whether both would send the same request. */
export function isSameOrigin(one: Origin, other: Origin): boolean {
  return (
    one.upstream.name === other.upstream.name &&
    one.repository === other.repository &&
    one.credential?.fingerprint === other.credential?.fingerprint
  );
}

/** Starts a transfer of the blob from the origin. */
export function openOrigin(
  origin: Origin,
  digest: Digest,
  start: number,
  attempt: number,
  signal?: AbortSignal,
): Promise<ReceivedBlob> {
  const options = { credential: origin.credential, signal };
  return origin.upstream.openBlob(origin.repository, digest, start, attempt, options);
}
