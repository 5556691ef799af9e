// Follows each request to the end of its body and tells the log and the metrics once.

import type { Context, MiddlewareHandler } from 'hono';
import type { Log } from '../log.ts';
import type { SentBody } from '../routes/send-body.ts';
import type { AppEnvironment, EndedRequest, RequestRecord } from './request-record.ts';

/** User agents are cut here, characters: they are for people to read. */
const MAX_USER_AGENT = 200;

export interface AccessLogParts {
  readonly log: Log;
  readonly clientAddress: (c: Context) => string;
  /** Milliseconds on any clock that only goes forward. */
  readonly now: () => number;
  readonly requestEnded?: ((ended: EndedRequest) => void) | undefined;
}

export function accessLog(parts: AccessLogParts): MiddlewareHandler<AppEnvironment> {
  return async (c, next) => {
    const startMs = parts.now();
    // The client's address is gone from the socket once it has disconnected.
    const client = parts.clientAddress(c);
    const finish = (status: number, sent: SentBody): void => {
      const ended = describe(c, record, client, status, sent, parts.now() - startMs);
      parts.requestEnded?.(ended);
      parts.log.info(ended, 'request');
    };
    const record: RequestRecord = {
      id: crypto.randomUUID(),
      end: (sent) => finish(record.streamedStatus ?? 200, sent),
    };
    c.set('record', record);
    await next();
    if (record.streamedStatus !== undefined) return;
    finish(c.res.status, { bytes: bodySize(c, record), outcome: 'complete' });
  };
}

/** Looking at the headers costs the adapter its fast path, so the busiest route says the size itself. */
function bodySize(c: Context, record: RequestRecord): number {
  if (c.req.method === 'HEAD') return 0;
  return record.bodySize ?? Number(c.res.headers.get('content-length') ?? 0);
}

function describe(
  c: Context,
  record: RequestRecord,
  client: string,
  status: number,
  sent: SentBody,
  durationMs: number,
): EndedRequest {
  const { request, cache, digest } = record;
  const userAgent = c.req.header('user-agent')?.slice(0, MAX_USER_AGENT);
  const error = sent.error === undefined ? record.error : String(sent.error);
  const named = request !== undefined && request.kind !== 'version' ? request : undefined;
  return {
    requestId: record.id,
    client,
    method: c.req.method,
    path: c.req.path,
    route: request?.kind ?? 'other',
    status,
    bytes: sent.bytes,
    durationMs: Math.round(durationMs * 1000) / 1000,
    outcome: sent.outcome,
    ...(named === undefined ? {} : { upstream: named.repository.upstream }),
    ...(named?.namespace === undefined ? {} : { namespace: named.namespace }),
    ...(cache === undefined ? {} : { cache }),
    ...(digest === undefined ? {} : { digest }),
    ...(userAgent === undefined ? {} : { userAgent }),
    ...(error === undefined ? {} : { error }),
  };
}
