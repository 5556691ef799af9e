// What refers to a manifest: signatures, bills of materials.
// Source: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-referrers

import { OciError } from '../oci/error.ts';
import { answerList } from './list-answer.ts';
import type { ReferrersRequest } from './parse-path.ts';
import type { Asked, RouteParts } from './route-parts.ts';

/** Longest query, characters: an artifact type, and what registries put in the link to a next page. */
const MAX_QUERY_LENGTH = 2048;

export async function answerReferrers(
  parts: RouteParts,
  request: ReferrersRequest,
  asked: Asked,
): Promise<Response> {
  const { repository, digest } = request;
  const query = readReferrersQuery(asked.url.searchParams);
  const list = await parts.mirror.getReferrers(repository, digest, query, asked.viewer);
  return answerList(request, list, asked);
}

/** The query without what is meant for this mirror; paging parameters differ between registries. */
export function readReferrersQuery(query: URLSearchParams): URLSearchParams {
  const checked = new URLSearchParams(query);
  checked.delete('ns');
  if (checked.toString().length > MAX_QUERY_LENGTH) {
    throw new OciError('UNSUPPORTED', 400, 'the query is too long');
  }
  return checked;
}
