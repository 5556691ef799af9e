// Turns what a registry answered, or that it did not, into UpstreamError. Messages name paths
// without queries: those of redirects are signatures.

import { RefusedTargetError } from './address-guard.ts';
import type { UpstreamResponse } from './dispatcher.ts';
import { TooLargeError } from './response-body.ts';
import { parseRetryAfter } from './retry-policy.ts';
import { UpstreamError, type UpstreamErrorKind } from './upstream.ts';

/** A request as it may be shown: whose, and method and path. */
export interface RequestName {
  readonly upstream: string;
  readonly text: string;
}

const KINDS: ReadonlyMap<number, UpstreamErrorKind> = new Map([
  [401, 'unauthorized'],
  [403, 'denied'],
  [404, 'not-found'],
  [408, 'unavailable'],
  [410, 'not-found'],
  [416, 'out-of-range'],
  [429, 'rate-limited'],
  [451, 'denied'],
]);

/** The error for an answer that is not what was asked for. */
export function statusError(
  name: RequestName,
  response: Pick<UpstreamResponse, 'statusCode' | 'headers'>,
  nowMs: number,
): UpstreamError {
  const status = response.statusCode;
  const kind = KINDS.get(status) ?? (status >= 500 ? 'unavailable' : 'invalid');
  return new UpstreamError(name.upstream, kind, `${name.text}: status ${status}`, {
    status,
    retryAfterSeconds: parseRetryAfter(headerOf(response.headers, 'retry-after'), nowMs),
  });
}

/** The error for an answer with the right status and the wrong content. */
export function invalidError(name: RequestName, reason: string, cause?: unknown): UpstreamError {
  return new UpstreamError(name.upstream, 'invalid', `${name.text}: ${reason}`, { cause });
}

/** The error for a manifest or list of too many bytes. */
export function tooLargeError(name: RequestName, cause: TooLargeError): UpstreamError {
  return new UpstreamError(name.upstream, 'too-large', `${name.text}: ${cause.message}`, { cause });
}

/** The error for whatever was thrown while a request was made or its body read. */
export function requestError(name: RequestName, error: unknown): UpstreamError {
  if (error instanceof UpstreamError) return error;
  if (error instanceof TooLargeError) return tooLargeError(name, error);
  const kind = error instanceof RefusedTargetError ? 'refused' : 'transport';
  const reason = error instanceof Error ? error.message : 'no answer';
  return new UpstreamError(name.upstream, kind, `${name.text}: ${reason}`, { cause: error });
}

/** The header's value; the first one when it came more than once. */
export function headerOf(headers: UpstreamResponse['headers'], name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' ? value : value?.[0];
}
