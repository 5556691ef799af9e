// The list of a repository's tags.
// Source: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-tags

import { OciError } from '../oci/error.ts';
import { answerList } from './list-answer.ts';
import type { TagsRequest } from './parse-path.ts';
import type { Asked, RouteParts } from './route-parts.ts';

/** Longest `last`, characters: tags have at most 128, and some registries put their own cursor there. */
const MAX_LAST_LENGTH = 1024;

const COUNT = /^\d{1,9}$/;

export async function answerTags(
  parts: RouteParts,
  request: TagsRequest,
  asked: Asked,
): Promise<Response> {
  const query = readTagsQuery(asked.url.searchParams);
  const list = await parts.mirror.listTags(request.repository, query, asked.viewer);
  return answerList(request, list, asked);
}

/** The parameters that the specification has, checked. */
export function readTagsQuery(query: URLSearchParams): URLSearchParams {
  const checked = new URLSearchParams();
  const count = query.get('n');
  if (count !== null) {
    if (!COUNT.test(count)) throw new OciError('UNSUPPORTED', 400, 'n is not a count');
    checked.set('n', count);
  }
  const last = query.get('last');
  if (last !== null) {
    if (last.length > MAX_LAST_LENGTH) throw new OciError('UNSUPPORTED', 400, 'last is too long');
    checked.set('last', last);
  }
  return checked;
}
