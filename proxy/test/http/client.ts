// Requests as the tests see them: every byte that came, and whether the body was complete.

import { type Dispatcher, request } from 'undici';

export interface Received {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
  /** False when the body ended before its declared end. */
  readonly complete: boolean;
  readonly trailers: Readonly<Record<string, string>>;
}

export type Headers = Readonly<Record<string, string>>;

async function send(method: 'GET' | 'HEAD', url: string, headers: Headers): Promise<Received> {
  return await collect(await request(url, { method, headers }));
}

/** Reads an answer to its end, wherever that is. */
export async function collect(answer: Dispatcher.ResponseData): Promise<Received> {
  const chunks: Buffer[] = [];
  let complete = true;
  try {
    for await (const chunk of answer.body) chunks.push(Buffer.from(chunk));
  } catch {
    complete = false;
  }
  return {
    status: answer.statusCode,
    headers: answer.headers,
    body: Buffer.concat(chunks),
    complete,
    trailers: answer.trailers,
  };
}

export function get(url: string, headers: Headers = {}): Promise<Received> {
  return send('GET', url, headers);
}

export function head(url: string, headers: Headers = {}): Promise<Received> {
  return send('HEAD', url, headers);
}

/** The code of the first error of a body in the specification's form. */
export function errorCode(received: Received): string {
  const value = JSON.parse(received.body.toString());
  return String(value.errors[0].code);
}

export function json(received: Received): Record<string, unknown> {
  return JSON.parse(received.body.toString());
}

export function basic(username: string, password: string): Headers {
  return { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` };
}
