// Answers with a list from an upstream, page by page.

import { distributionHeaders } from '../middleware/distribution-headers.ts';
import type { ListAnswer } from '../pull/mirror.ts';
import type { ReferrersRequest, TagsRequest } from './parse-path.ts';
import { type Asked, noteCache } from './route-parts.ts';

/** The list, whose Link to the next page leads back here. */
export function answerList(
  request: TagsRequest | ReferrersRequest,
  list: ListAnswer,
  { c, url }: Asked,
): Response {
  noteCache(c, list.cache);
  const headers = distributionHeaders(request, list.cache);
  headers['Content-Type'] = list.mediaType;
  headers['Content-Length'] = String(list.bytes.length);
  if (list.filtersApplied !== undefined) headers['OCI-Filters-Applied'] = list.filtersApplied;
  if (list.next !== undefined) headers['Link'] = linkTo(url, list.next, request.namespace);
  const body = c.req.method === 'HEAD' ? null : (list.bytes as Uint8Array<ArrayBuffer>);
  return new Response(body, { headers });
}

/** https://www.rfc-editor.org/rfc/rfc8288#section-3, in the form of path that the client used. */
function linkTo(url: URL, next: string, namespace: string | undefined): string {
  const query = new URLSearchParams(next);
  if (namespace !== undefined) query.set('ns', namespace);
  return `<${url.pathname}?${query}>; rel="next"`;
}
