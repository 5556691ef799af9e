// An answer as a value, changed by faults that only alter what is sent, then sent byte by byte.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import type { Fault } from './fault.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** The whole content, when the body may be a part of it. */
  readonly whole?: Uint8Array;
}

/** Bytes written at once: small enough that a fault lands where it was asked to. */
const CHUNK_SIZE = 64 * 1024;

export function jsonAnswer(
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  const body = new TextEncoder().encode(JSON.stringify(value));
  return { status, headers: { 'content-type': 'application/json', ...headers }, body };
}

export function errorAnswer(
  status: number,
  code: string,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  return jsonAnswer(status, { errors: [{ code, message: `double: ${code}` }] }, headers);
}

export function emptyAnswer(
  status: number,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  return { status, headers, body: new Uint8Array(0) };
}

/** Cuts one range out of content; 416 when it lies past the end. Other forms give everything. */
export function rangeAnswer(
  content: Uint8Array,
  range: string | undefined,
  headers: Readonly<Record<string, string>>,
): Answer {
  const match = /^bytes=(\d*)-(\d*)$/.exec(range ?? '');
  if (match === null || (match[1] === '' && match[2] === ''))
    return { status: 200, headers, body: content, whole: content };
  const suffix = match[1] === '';
  const start = suffix ? Math.max(0, content.length - Number(match[2])) : Number(match[1]);
  const last = suffix || match[2] === '' ? content.length - 1 : Number(match[2]);
  const end = Math.min(content.length, last + 1);
  if (start >= content.length || end <= start)
    return errorAnswer(416, 'SIZE_INVALID', { 'content-range': `bytes */${content.length}` });
  return partAnswer(content, start, end, headers);
}

function partAnswer(
  content: Uint8Array,
  start: number,
  end: number,
  headers: Readonly<Record<string, string>>,
): Answer {
  return {
    status: 206,
    headers: { ...headers, 'content-range': `bytes ${start}-${end - 1}/${content.length}` },
    body: content.subarray(start, end),
    whole: content,
  };
}

const STATUS_CODES: Readonly<Record<number, string>> = {
  401: 'UNAUTHORIZED',
  403: 'DENIED',
  404: 'MANIFEST_UNKNOWN',
  429: 'TOOMANYREQUESTS',
};

/** Applies a fault to the answer's value; faults of the transport leave it as it is. */
export function alterAnswer(answer: Answer, fault: Fault, url: string): Answer {
  switch (fault.kind) {
    case 'wrong-bytes': {
      const body = Uint8Array.from(answer.body);
      const at = Math.min(fault.at ?? body.length >> 1, body.length - 1);
      if (at >= 0) body[at] = (body[at] ?? 0) ^ 0x01;
      return { ...answer, body };
    }
    case 'html':
      return {
        status: 200,
        headers: { 'content-type': 'text/html; charset=utf-8' },
        body: new TextEncoder().encode(
          '<!doctype html><title>Sign in</title><p>Welcome to the café.',
        ),
      };
    case 'answer':
      return {
        status: fault.status,
        headers: fault.headers ?? {},
        body:
          typeof fault.body === 'string' ? Buffer.from(fault.body) : (fault.body ?? Buffer.of()),
      };
    case 'wrong-range':
      return shiftRange(answer, fault.shift);
    case 'ignore-range': {
      const { 'content-range': _range, ...headers } = answer.headers;
      if (answer.whole === undefined) return answer;
      return { ...answer, status: 200, headers, body: answer.whole };
    }
    case 'redirect-loop':
      return emptyAnswer(307, { location: url });
    case 'redirect':
      return emptyAnswer(307, { location: fault.location });
    case 'foreign-realm':
      return errorAnswer(401, 'UNAUTHORIZED', {
        'www-authenticate': `Bearer realm="${fault.realm}",service="double",scope="repository:x:pull"`,
      });
    case 'status':
      return errorAnswer(
        fault.status,
        STATUS_CODES[fault.status] ?? 'UNKNOWN',
        fault.retryAfterSeconds === undefined
          ? {}
          : { 'retry-after': String(fault.retryAfterSeconds) },
      );
    case 'no-digest': {
      const { 'docker-content-digest': _digest, ...headers } = answer.headers;
      return { ...answer, headers };
    }
    case 'other-digest':
      return { ...answer, headers: { ...answer.headers, 'docker-content-digest': fault.digest } };
    case 'content-type': {
      const { 'content-type': _type, ...headers } = answer.headers;
      if (fault.mediaType === undefined) return { ...answer, headers };
      return { ...answer, headers: { ...headers, 'content-type': fault.mediaType } };
    }
    case 'gzip':
      return {
        ...answer,
        headers: { ...answer.headers, 'content-encoding': 'gzip' },
        body: gzipSync(answer.body),
      };
    case 'huge-headers':
      return { ...answer, headers: { ...answer.headers, 'x-huge': 'h'.repeat(fault.bytes) } };
    case 'too-many':
      return { ...answer, body: Buffer.concat([answer.body, new Uint8Array(fault.extra)]) };
    case 'too-few':
    case 'reset':
    case 'stall':
    case 'hold':
    case 'drip':
    case 'no-length':
      return answer;
  }
}

function shiftRange(answer: Answer, shift: number): Answer {
  const match = /^bytes (\d+)-(\d+)\//.exec(String(answer.headers['content-range']));
  if (answer.whole === undefined) return answer;
  const start = match === null ? 0 : Number(match[1]);
  const end = match === null ? answer.whole.length : Number(match[2]) + 1;
  const from = Math.max(0, Math.min(answer.whole.length - 1, start + shift));
  const until = Math.max(from + 1, Math.min(answer.whole.length, end + shift));
  const { 'content-range': _range, ...headers } = answer.headers;
  return partAnswer(answer.whole, from, until, headers);
}

/** What was really sent. */
export interface SentAnswer {
  bytes: number;
}

/** Sends an answer, with a fault of the transport if one is given. Resolves when nothing more will be sent. */
export async function sendAnswer(
  request: IncomingMessage,
  response: ServerResponse,
  answer: Answer,
  fault: Fault | undefined,
  sent: SentAnswer,
): Promise<void> {
  if (fault?.kind === 'stall' && fault.after === 'headers') return;
  if (fault?.kind === 'hold' && fault.after === 'headers') await fault.until;
  if (fault?.kind === 'reset' && fault.after === 0) {
    request.socket.resetAndDestroy();
    return;
  }
  writeHead(response, answer, fault);
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  response.flushHeaders();
  const gone = new Promise<void>((resolve) => response.once('close', resolve));
  await sendBody(request, { response, gone, sent }, answer.body, fault);
}

function writeHead(response: ServerResponse, answer: Answer, fault: Fault | undefined): void {
  const chunked =
    fault?.kind === 'no-length' ||
    ((fault?.kind === 'too-few' || fault?.kind === 'too-many') && fault.framing === 'chunked');
  const bodiless = answer.status === 204 || answer.status === 304;
  response.writeHead(answer.status, {
    ...answer.headers,
    ...(chunked || bodiless ? {} : { 'content-length': String(answer.body.length) }),
  });
}

/** Where the body stops being sent normally. */
function stopOf(body: Uint8Array, fault: Fault | undefined): number {
  if (fault?.kind === 'too-few') return Math.min(fault.after, body.length);
  if (fault?.kind === 'reset' || fault?.kind === 'stall' || fault?.kind === 'hold')
    return typeof fault.after === 'number' ? Math.min(fault.after, body.length) : body.length;
  return body.length;
}

interface Sink {
  readonly response: ServerResponse;
  /** Resolves when the connection is closed. */
  readonly gone: Promise<void>;
  readonly sent: SentAnswer;
}

async function sendBody(
  request: IncomingMessage,
  sink: Sink,
  body: Uint8Array,
  fault: Fault | undefined,
): Promise<void> {
  const { response } = sink;
  const stop = stopOf(body, fault);
  const rate = fault?.kind === 'drip' ? fault.bytesPerSecond : undefined;
  if (!(await writeBytes(sink, body.subarray(0, stop), rate))) return;
  switch (fault?.kind) {
    case 'reset':
      await (fault.until ?? new Promise((resolve) => setTimeout(resolve, RESET_DELAY_MS)));
      request.socket.resetAndDestroy();
      return;
    case 'stall':
      return;
    case 'too-few':
      if (fault.framing === 'length') request.socket.end();
      else response.end();
      return;
    case 'hold':
      await fault.until;
      if (await writeBytes(sink, body.subarray(stop), undefined)) response.end();
      return;
    default:
      response.end();
  }
}

/** Time for the other end to take what was sent: a reset throws away what lies in between. */
const RESET_DELAY_MS = 150;

/** How often a drip sends something. */
const DRIP_PIECES_PER_SECOND = 20;

/** Writes at the client's pace; false once the client is gone. */
async function writeBytes(
  sink: Sink,
  bytes: Uint8Array,
  bytesPerSecond: number | undefined,
): Promise<boolean> {
  const { response, gone, sent } = sink;
  const step =
    bytesPerSecond === undefined
      ? CHUNK_SIZE
      : Math.max(1, Math.floor(bytesPerSecond / DRIP_PIECES_PER_SECOND));
  for (let position = 0; position < bytes.length; position += step) {
    if (response.destroyed) return false;
    const piece = bytes.subarray(position, position + step);
    const flushed = new Promise<void>((resolve) => response.write(piece, () => resolve()));
    sent.bytes += piece.length;
    await Promise.race([flushed, gone]);
    if (bytesPerSecond !== undefined)
      await new Promise((resolve) => setTimeout(resolve, 1000 / DRIP_PIECES_PER_SECOND));
  }
  return !response.destroyed;
}
