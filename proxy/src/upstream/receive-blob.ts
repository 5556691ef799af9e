// A blob's bytes from a checked answer: the part that was asked for, or the whole.
// Source: https://www.rfc-editor.org/rfc/rfc9110#section-15.3.7

import { parseContentRange } from './content-range.ts';
import { ResponseBody } from './response-body.ts';
import { headerOf, invalidError, requestError } from './response-error.ts';
import type { ReceivedBlob } from './upstream.ts';
import type { ClientResponse } from './upstream-client.ts';

export interface ReceiveBlobOptions {
  /** Content-Length, if any. */
  readonly announced: number | undefined;
  readonly onBytes: (length: number) => void;
  /** Called when the body breaks before its end. */
  readonly onBroken: () => void;
}

interface Part {
  readonly start: number;
  readonly size: number | undefined;
}

/** Throws UpstreamError `invalid` when the answer is for other bytes than those from `start`. */
export function receiveBlob(
  response: ClientResponse,
  start: number,
  options: ReceiveBlobOptions,
): ReceivedBlob {
  const { announced, onBytes } = options;
  const part: Part =
    response.status === 200 ? { start: 0, size: announced } : partOf(response, start, announced);
  const expected = part.size === undefined ? announced : part.size - part.start;
  const body = new ResponseBody(response.body, { expected, onBytes });
  return {
    ...part,
    body: readChunks(body, response, options.onBroken),
    cancel: () => body.cancel(),
  };
}

function partOf(response: ClientResponse, start: number, announced: number | undefined): Part {
  const range = parseContentRange(headerOf(response.headers, 'content-range'));
  if (start === 0) throw invalidError(response.name, 'a part, though the whole was asked for');
  if (range === undefined) throw invalidError(response.name, 'a part without its range');
  if (range.start !== start)
    throw invalidError(response.name, `bytes from ${range.start} instead of ${start}`);
  if (announced !== undefined && announced !== range.end - range.start)
    throw invalidError(response.name, `${announced} bytes for a range of another length`);
  return { start, size: range.size };
}

async function* readChunks(
  body: ResponseBody,
  { name }: ClientResponse,
  onBroken: () => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* body;
  } catch (error) {
    onBroken();
    throw requestError(name, error);
  }
}
