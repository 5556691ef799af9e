// Reads one URL to its end and compares what came with what it should be.
import { createHash } from 'node:crypto';
import { type Dispatcher, request } from 'undici';
import type { Content } from '../lib/content.ts';

/** What is wrong with the answer, undefined when nothing is; never throws. */
export async function fetchChecked(
  url: string,
  expected: Pick<Content, 'digest' | 'size'>,
  options: { readonly accept?: string; readonly dispatcher?: Dispatcher } = {},
): Promise<string | undefined> {
  const problem = (why: string): string => `${url}: ${why}`;
  try {
    const { statusCode, headers, body } = await request(url, {
      headers: { accept: options.accept ?? '*/*' },
      headersTimeout: 0,
      bodyTimeout: 0,
      ...(options.dispatcher === undefined ? {} : { dispatcher: options.dispatcher }),
    });
    const hash = createHash('sha256');
    let size = 0;
    for await (const piece of body) {
      hash.update(piece);
      size += piece.length;
    }
    const digest = `sha256:${hash.digest('hex')}`;
    if (statusCode !== 200) {
      return problem(`status ${statusCode}`);
    }
    if (Number(headers['content-length']) !== expected.size || size !== expected.size) {
      return problem(
        `${size} bytes, Content-Length ${headers['content-length']}, not ${expected.size}`,
      );
    }
    return digest === expected.digest ? undefined : problem(`${digest}, not ${expected.digest}`);
  } catch (error) {
    return problem(error instanceof Error ? error.message : String(error));
  }
}
