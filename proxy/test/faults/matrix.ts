// The ways an upstream can misbehave, each with what may come of it for a blob and for a manifest.

import type { Fault } from '../upstream-double/fault.ts';
import type { Expected } from './outcome.ts';

export interface FaultCase {
  readonly title: string;
  readonly fault: Fault;
  readonly blob: Expected;
  readonly manifest: Expected;
  /** The status the client gets, where the specification tells causes apart. */
  readonly status?: number;
}

/** In the middle of a manifest, bytes. */
const HALF = 400;

/** The fault for a body of tens of kilobytes: it breaks after as large a part as that of a manifest. */
export function forLayer(fault: Fault): Fault {
  return 'after' in fault && fault.after === HALF ? { ...fault, after: 50 * HALF } : fault;
}

const OTHER_DIGEST = `sha256:${'5'.repeat(64)}`;

/** A fault that no right answer can come of. */
function failing(title: string, fault: Fault, status?: number): FaultCase {
  const base = { title, fault, blob: 'fails', manifest: 'fails' } as const;
  return status === undefined ? base : { ...base, status };
}

function answer(status: number, headers: Record<string, string> = {}, body = ''): Fault {
  return { kind: 'answer', status, headers, body };
}

export const FAULTS: readonly FaultCase[] = [
  failing('one wrong byte in the middle', { kind: 'wrong-bytes' }),
  failing('a wrong first byte', { kind: 'wrong-bytes', at: 0 }),
  failing('a wrong last byte', { kind: 'wrong-bytes', at: Number.MAX_SAFE_INTEGER }),
  {
    title: 'too few bytes under a Content-Length for all',
    fault: { kind: 'too-few', after: HALF, framing: 'length' },
    blob: 'either',
    manifest: 'fails',
  },
  {
    title: 'too few bytes in a complete chunked body',
    fault: { kind: 'too-few', after: HALF, framing: 'chunked' },
    blob: 'either',
    manifest: 'fails',
  },
  failing('no bytes at all in a chunked body', { kind: 'too-few', after: 0, framing: 'chunked' }),
  failing('too many bytes under a Content-Length', {
    kind: 'too-many',
    extra: 7,
    framing: 'length',
  }),
  failing('too many bytes in a chunked body', { kind: 'too-many', extra: 7, framing: 'chunked' }),
  failing('an HTML page with 200', { kind: 'html' }),
  failing('an empty 200', answer(200)),
  failing('a 204', answer(204)),
  failing('a 304', answer(304)),
  failing('a 200 that is an error of the specification', {
    ...answer(200, { 'content-type': 'application/json' }, '{"errors":[{"code":"UNKNOWN"}]}'),
  }),
  failing('a 206 for other bytes', { kind: 'wrong-range', shift: 50 }),
  {
    title: 'a reset in the middle of the body',
    fault: { kind: 'reset', after: HALF },
    blob: 'either',
    manifest: 'fails',
  },
  failing('a reset before the header', { kind: 'reset', after: 0 }),
  failing('a stall before the header', { kind: 'stall', after: 'headers' }),
  {
    title: 'a stall in the middle of the body',
    fault: { kind: 'stall', after: HALF },
    blob: 'either',
    manifest: 'fails',
  },
  failing('a redirect loop', { kind: 'redirect-loop' }),
  failing('a redirect without Location', answer(307)),
  failing('a redirect to a metadata service', {
    kind: 'redirect',
    location: 'http://169.254.169.254/latest/meta-data/',
  }),
  failing('a redirect to a file', { kind: 'redirect', location: 'file:///etc/passwd' }),
  failing('a redirect to no URL', { kind: 'redirect', location: 'http://[' }),
  failing('a realm on another host', { kind: 'foreign-realm', realm: 'http://127.0.0.2:9/token' }),
  failing('a realm that is no URL', { kind: 'foreign-realm', realm: 'token' }),
  failing('500 again and again', { kind: 'status', status: 500 }),
  failing('502 again and again', { kind: 'status', status: 502 }),
  failing('503 again and again', { kind: 'status', status: 503 }),
  failing('504 again and again', { kind: 'status', status: 504 }),
  failing('501', { kind: 'status', status: 501 }),
  failing('429 with Retry-After', { kind: 'status', status: 429, retryAfterSeconds: 6 }, 429),
  failing('429 without Retry-After', { kind: 'status', status: 429 }, 429),
  failing('401 without a challenge', { kind: 'status', status: 401 }),
  failing('403', { kind: 'status', status: 403 }, 403),
  failing('404', { kind: 'status', status: 404 }, 404),
  failing('418', { kind: 'status', status: 418 }),
  failing('a status of three other digits', answer(299)),
  failing('1 MiB of header', { kind: 'huge-headers', bytes: 1 << 20 }),
  {
    title: 'gzip that nobody asked for',
    fault: { kind: 'gzip' },
    blob: 'either',
    manifest: 'either',
  },
  {
    title: 'no Docker-Content-Digest',
    fault: { kind: 'no-digest' },
    blob: 'serves',
    manifest: 'serves',
  },
  {
    title: 'another Docker-Content-Digest',
    fault: { kind: 'other-digest', digest: OTHER_DIGEST },
    blob: 'either',
    manifest: 'either',
  },
  {
    title: 'a Docker-Content-Digest that is none',
    fault: { kind: 'other-digest', digest: 'not a digest' },
    blob: 'either',
    manifest: 'either',
  },
  { title: 'no Content-Length', fault: { kind: 'no-length' }, blob: 'serves', manifest: 'serves' },
  {
    title: 'a slow body',
    fault: { kind: 'drip', bytesPerSecond: 300_000 },
    blob: 'serves',
    manifest: 'serves',
  },
  {
    title: 'the media type of a page',
    fault: { kind: 'content-type', mediaType: 'text/html' },
    blob: 'either',
    manifest: 'either',
  },
  {
    title: 'no media type',
    fault: { kind: 'content-type', mediaType: undefined },
    blob: 'serves',
    manifest: 'either',
  },
];
