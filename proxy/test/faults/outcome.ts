// What may come of a request while the upstream misbehaves, and of the next one when it no longer does.

import type { ExecutionContext } from 'ava';
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
  t.is(headers['content-length'], String(content.bytes.length));
  t.is(headers['docker-content-digest'], content.digest);
  if (complete) {
    t.is(Buffer.compare(body, content.bytes), 0, 'a complete body of other bytes');
    return true;
  }
  t.true(body.length < content.bytes.length, 'all bytes of a body that was not complete');
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
    const isWaiting = answer.status === 503 && Number.isFinite(seconds);
    if (!isWaiting || performance.now() + seconds * 1000 > untilMs) return answer;
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  }
}
