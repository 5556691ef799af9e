// A response's body as chunks: no copies, at most a little ahead of who reads, and an error when it
// breaks, stalls or ends short.

import type { UpstreamResponse } from './dispatcher.ts';

/** Bytes that may wait for the reader before the connection is paused. */
const MAX_WAITING = 256 * 1024;

/** A body that ended before the bytes that were announced. */
export class ShortBodyError extends Error {
  override readonly name = 'ShortBodyError';
  readonly code = 'short-body';
  readonly got: number;
  readonly expected: number;

  constructor(got: number, expected: number) {
    super(`the body ended after ${got} of ${expected} bytes`);
    this.got = got;
    this.expected = expected;
  }
}

export interface ResponseBodyOptions {
  /** Length that was announced, if any. */
  readonly expected?: number | undefined;
  readonly onBytes?: (length: number) => void;
}

/** Read once. Leaving the loop early ends the transfer. */
export class ResponseBody implements AsyncIterable<Uint8Array> {
  readonly #body: UpstreamResponse['body'];
  readonly #options: ResponseBodyOptions;
  readonly #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #received = 0;
  #end: { readonly error?: Error } | undefined;
  #wake: (() => void) | undefined;

  constructor(body: UpstreamResponse['body'], options: ResponseBodyOptions = {}) {
    this.#body = body;
    this.#options = options;
    body.on('error', (error: Error) => this.#finish(error));
    body.on('end', () => this.#finish());
    body.on('close', () => this.#finish(new ShortBodyError(this.#received, this.#expected())));
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    this.#body.on('data', (chunk: Uint8Array) => this.#take(chunk));
    try {
      for (;;) {
        const chunk = this.#next();
        if (chunk !== undefined) yield chunk;
        else if (this.#end !== undefined) return this.#checkEnd(this.#end);
        else await this.#changed();
      }
    } finally {
      this.cancel();
    }
  }

  /** Ends the transfer; after its end this does nothing. */
  cancel(): void {
    if (!this.#body.destroyed) this.#body.destroy();
  }

  #take(chunk: Uint8Array): void {
    this.#waiting.push(chunk);
    this.#waitingBytes += chunk.length;
    this.#received += chunk.length;
    this.#options.onBytes?.(chunk.length);
    if (this.#waitingBytes >= MAX_WAITING) this.#body.pause();
    this.#wake?.();
  }

  #next(): Uint8Array | undefined {
    const chunk = this.#waiting.shift();
    if (chunk === undefined) return undefined;
    this.#waitingBytes -= chunk.length;
    if (this.#waitingBytes < MAX_WAITING && this.#body.isPaused()) this.#body.resume();
    return chunk;
  }

  #checkEnd(end: { readonly error?: Error }): void {
    if (end.error !== undefined) throw end.error;
    const expected = this.#expected();
    if (this.#received < expected) throw new ShortBodyError(this.#received, expected);
  }

  #expected(): number {
    return this.#options.expected ?? 0;
  }

  #finish(error?: Error): void {
    this.#end ??= error === undefined ? {} : { error };
    this.#wake?.();
  }

  #changed(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

/** Frees a response that nobody wants: small bodies are read to keep the connection, others cut. */
export function discardBody(body: UpstreamResponse['body']): void {
  body.on('error', () => {
    // The response was not wanted; that it broke as well changes nothing.
  });
  body.dump({ limit: MAX_DISCARDED }).catch(() => {
    // As above.
  });
}

const MAX_DISCARDED = 64 * 1024;

/** A body that is larger than what is read into memory. */
export class TooLargeError extends Error {
  override readonly name = 'TooLargeError';
  readonly code = 'too-large';
  readonly limit: number;

  constructor(limit: number) {
    super(`the body has more than ${limit} bytes`);
    this.limit = limit;
  }
}

/** Reads a whole body; rejects with TooLargeError past the limit. */
export async function readBody(body: ResponseBody, limit: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > limit) throw new TooLargeError(limit);
    chunks.push(chunk);
  }
  const bytes = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}
