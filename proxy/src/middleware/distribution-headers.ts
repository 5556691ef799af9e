// Headers that every answer under /v2/ carries.

import type { CacheStatus } from '../pull/mirror.ts';
import type { PullRequest } from '../routes/parse-path.ts';

type Headers = Readonly<Record<string, string>>;

/** Clients of old tell a registry by it: https://distribution.github.io/distribution/spec/api/#api-version-check */
const API_VERSION: Headers = { 'Docker-Distribution-Api-Version': 'registry/2.0' };

/** https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#warnings */
const STALE_WARNING = '299 - "the upstream does not answer: this was not checked with it lately"';

/** The headers of an answer to `request`, which is undefined when it could not be parsed. */
export function distributionHeaders(
  request: PullRequest | undefined,
  cache?: CacheStatus,
): Record<string, string> {
  const headers: Record<string, string> = { ...API_VERSION };
  // https://github.com/opencontainers/distribution-spec/blob/main/spec.md#registry-proxying
  if (request !== undefined && request.kind !== 'version' && request.namespace !== undefined) {
    headers['OCI-Namespace'] = request.namespace;
  }
  if (cache === 'stale') headers['Warning'] = STALE_WARNING;
  return headers;
}
