// Sends a request and follows where the upstream sends it, with the login for the upstream alone.
// Source: https://www.rfc-editor.org/rfc/rfc9110#section-15.4

import type { Endpoint, RequestParts, UpstreamResponse } from './dispatcher.ts';
import { discardBody } from './response-body.ts';
import { headerOf, invalidError, type RequestName } from './response-error.ts';

/** Registries redirect once, to a blob store; a chain through a mirror selector has two or three. */
const MAX_REDIRECTS = 5;

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

export interface SentRequest {
  readonly url: URL;
  readonly name: RequestName;
  readonly parts: RequestParts;
  readonly onSent: () => void;
}

export interface FollowedAnswer {
  readonly response: UpstreamResponse;
  /** Whether another origin than the upstream's answered. */
  readonly isElsewhere: boolean;
}

/** Rejects with UpstreamError `invalid` when redirects have no end or no target. */
export async function followRedirects(
  endpoint: Endpoint,
  { url: first, name, parts, onSent }: SentRequest,
  authorization: string | undefined,
): Promise<FollowedAnswer> {
  const visited = new Set<string>();
  for (let url = first; visited.size <= MAX_REDIRECTS; ) {
    visited.add(url.href);
    const isElsewhere = url.origin !== endpoint.base.origin;
    const headers =
      isElsewhere || authorization === undefined
        ? parts.headers
        : { ...parts.headers, authorization };
    onSent();
    const purpose = visited.size === 1 ? 'base' : 'redirect';
    const response = await endpoint.send(url, purpose, { ...parts, headers });
    if (!REDIRECTS.has(response.statusCode)) return { response, isElsewhere };
    discardBody(response.body);
    const target = targetOf(response, url);
    if (target === undefined) throw invalidError(name, 'a redirect without a target');
    if (visited.has(target.href)) throw invalidError(name, 'a redirect loop');
    url = target;
  }
  throw invalidError(name, `more than ${MAX_REDIRECTS} redirects`);
}

function targetOf({ headers }: UpstreamResponse, from: URL): URL | undefined {
  const location = headerOf(headers, 'location');
  if (location === undefined || !URL.canParse(location, from)) return undefined;
  const target = new URL(location, from);
  target.hash = '';
  return target;
}
