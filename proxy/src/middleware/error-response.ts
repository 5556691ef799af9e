// Turns every error into an answer in the specification's form, and logs the unexpected ones once.
// Source: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#error-codes

import type { Context } from 'hono';
import { BASIC_CHALLENGE } from '../access/client-credentials.ts';
import type { Log } from '../log.ts';
import { OciError, type OciErrorCode } from '../oci/error.ts';
import type { PullRequest } from '../routes/parse-path.ts';
import { ShortBlobError, WrongBlobError } from '../store/blob-store.ts';
import { UpstreamError } from '../upstream/upstream.ts';
import { distributionHeaders } from './distribution-headers.ts';
import type { AppEnvironment } from './request-record.ts';

/**
 * The code of answers 5xx. The specification has none for them; this one makes clients wait and try
 * again, which is right, while the others say that the content is wrong or does not exist.
 */
const TRY_AGAIN: OciErrorCode = 'TOOMANYREQUESTS';

/** When a client may try again if the upstream did not say: the time after which most outages end. */
const RETRY_AFTER_SECONDS = 10;

/** Codes of time-outs: undici's, the system's and AbortSignal.timeout's. */
const TIMEOUTS: ReadonlySet<string> = new Set([
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_CONNECT_TIMEOUT',
  'ETIMEDOUT',
  'TimeoutError',
]);

/** How far down a chain of causes to look. */
const MAX_CAUSES = 5;

/** The error as the specification has it, undefined when it is one that nobody expected. */
export function toOciError(
  error: unknown,
  request: PullRequest | undefined,
  passesThrough: (upstream: string) => boolean,
): OciError | undefined {
  if (error instanceof OciError) return error;
  if (error instanceof UpstreamError) return fromUpstream(error, request, passesThrough);
  if (error instanceof ShortBlobError || error instanceof WrongBlobError) {
    return tryAgain(502, 'the blob could not be fetched', error);
  }
  return undefined;
}

function tryAgain(status: number, message: string, cause: unknown, seconds?: number): OciError {
  const retryAfterSeconds = seconds ?? RETRY_AFTER_SECONDS;
  return new OciError(TRY_AGAIN, status, message, { cause, retryAfterSeconds });
}

function fromUpstream(
  error: UpstreamError,
  request: PullRequest | undefined,
  passesThrough: (upstream: string) => boolean,
): OciError {
  const { message, retryAfterSeconds } = error;
  switch (error.kind) {
    case 'unauthorized': {
      const headers = passesThrough(error.upstream) ? BASIC_CHALLENGE : {};
      return new OciError('UNAUTHORIZED', 401, message, { cause: error, headers });
    }
    case 'too-large':
      return new OciError('MANIFEST_INVALID', 400, message, { cause: error });
    case 'denied':
      return new OciError('DENIED', 403, message, { cause: error });
    case 'not-found':
      return new OciError(unknownCode(request), 404, message, { cause: error });
    case 'rate-limited':
      return tryAgain(429, message, error, retryAfterSeconds);
    case 'unavailable':
      return tryAgain(503, message, error, retryAfterSeconds);
    case 'transport':
      return tryAgain(isTimeout(error) ? 504 : 502, message, error);
    case 'refused':
    case 'invalid':
    case 'out-of-range':
      return tryAgain(502, message, error);
  }
}

function mayLogIn(
  request: PullRequest | undefined,
  passesThrough: (upstream: string) => boolean,
): boolean {
  if (request === undefined || request.kind === 'version') return false;
  return passesThrough(request.repository.upstream);
}

/** What is denied to nobody in particular may be allowed to somebody: clients log in only after a 401. */
function askToLogIn(error: OciError | undefined): OciError | undefined {
  if (error?.status !== 403) return error;
  return new OciError('UNAUTHORIZED', 401, error.message, {
    cause: error,
    headers: BASIC_CHALLENGE,
  });
}

function unknownCode(request: PullRequest | undefined): OciErrorCode {
  switch (request?.kind) {
    case 'blob':
      return 'BLOB_UNKNOWN';
    case 'tags':
      return 'NAME_UNKNOWN';
    default:
      return 'MANIFEST_UNKNOWN';
  }
}

function isTimeout(error: unknown): boolean {
  let cause = error;
  for (let depth = 0; depth < MAX_CAUSES && cause instanceof Error; depth += 1) {
    const code = 'code' in cause ? String(cause.code) : cause.name;
    if (TIMEOUTS.has(code) || TIMEOUTS.has(cause.name)) return true;
    cause = cause.cause;
  }
  return false;
}

export interface ErrorResponseParts {
  readonly log: Log;
  readonly passesThrough: (upstream: string) => boolean;
}

/** Hono's error handler. */
export function errorResponse(
  parts: ErrorResponseParts,
): (error: Error, c: Context<AppEnvironment>) => Response {
  return (error, c) => {
    const record = c.get('record');
    const asIs = toOciError(error, record.request, parts.passesThrough);
    const isAnonymous = c.req.header('authorization') === undefined;
    const known =
      isAnonymous && mayLogIn(record.request, parts.passesThrough) ? askToLogIn(asIs) : asIs;
    record.error = error.message;
    if (known === undefined) {
      parts.log.error({ error, requestId: record.id }, 'a request failed unexpectedly');
    }
    // What an unexpected error says is for the log: it may name files.
    const answer = known ?? tryAgain(500, `internal error, request ${record.id}`, error);
    return answerError(c, answer, record.request);
  };
}

function answerError(c: Context, error: OciError, request: PullRequest | undefined): Response {
  const body = JSON.stringify(error);
  const bytes = new TextEncoder().encode(body);
  return new Response(c.req.method === 'HEAD' ? null : bytes, {
    status: error.status,
    headers: {
      ...distributionHeaders(request),
      'Content-Type': 'application/json',
      'Content-Length': String(bytes.length),
      ...(error.retryAfterSeconds === undefined
        ? {}
        : { 'Retry-After': String(Math.ceil(error.retryAfterSeconds)) }),
      ...error.headers,
    },
  });
}
