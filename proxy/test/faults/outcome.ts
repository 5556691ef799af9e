// What may come of a request while the upstream misbehaves, and of the next one when it no longer does.

import type { ExecutionContext } from 'ava';
import { request } from 'undici';
import { errorCode, get, type Received } from '../http/client.ts';
import type { Content } from '../upstream-double/content.ts';

/** `fails`: an error or a short body; `serves`: all of the right bytes; `either` of them. */
export type Expected = 'fails' | 'serves' | 'either';

const CODES =
  /^(BLOB_UNKNOWN|DENIED|DIGEST_INVALID|MANIFEST_BLOB_UNKNOWN|MANIFEST_INVALID|MANIFEST_UNKNOWN|NAME_INVALID|NAME_UNKNOWN|SIZE_INVALID|TOOMANYREQUESTS|UNAUTHORIZED|UNSUPPORTED)$/;

/** Whether the answer is the content, whole. Fails the test when it is complete and anything else. */
export function checkAnswer(t: ExecutionContext, answer: Received, content: Content): boolean {
  const { status, headers, body, complete } = answer;
  if (status !== 200) {
    t.true(status >= 400 && status !== 501, `status ${status}`);
    t.true(complete, 'an error that is cut');
    if (body.length > 0) t.regex(errorCode(answer), CODES);
    return false;
  }
  t.is(headers['docker-content-digest'], content.digest);
  if (complete) {
    t.is(body.length, content.bytes.length, 'a complete body of another length');
    t.is(Buffer.compare(body, content.bytes), 0, 'a complete body of other bytes');
    return true;
  }
  t.true(body.length < Number(headers['content-length']), 'all bytes of a body that is cut');
  return false;
}

export function checkExpected(t: ExecutionContext, isWhole: boolean, expected: Expected): void {
  if (expected !== 'either') t.is(isWhole ? 'serves' : 'fails', expected);
}

/** How long the server may keep away from an upstream that failed, milliseconds. */
const PATIENCE_MS = 30_000;

/** Asks again as Retry-After says, as clients do, until the server asks its upstream again. */
export async function getPatiently(url: string): Promise<Received> {
  const untilMs = performance.now() + PATIENCE_MS;
  for (;;) {
    const answer = await get(url);
    const seconds = Number(answer.headers['retry-after']);
    const isWaiting = [429, 503].includes(answer.status) && Number.isFinite(seconds);
    if (!isWaiting || performance.now() + seconds * 1000 > untilMs) return answer;
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  }
}

/** A mark in a body, and what to do once so many bytes of it have come. */
export interface Mark {
  readonly length: number;
  readonly reached: () => void;
}

/** A GET that does something at marks of the body. */
export async function getWithMarks(url: string, marks: readonly Mark[]): Promise<Received> {
  const answer = await request(url);
  const chunks: Buffer[] = [];
  const waiting = [...marks];
  let length = 0;
  let complete = true;
  try {
    for await (const chunk of answer.body) {
      chunks.push(Buffer.from(chunk));
      length += chunk.length;
      while (waiting[0] !== undefined && waiting[0].length <= length) waiting.shift()?.reached();
    }
  } catch {
    complete = false;
  }
  const { statusCode: status, headers, trailers } = answer;
  return { status, headers, trailers, body: Buffer.concat(chunks), complete };
}
