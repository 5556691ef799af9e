// One exchange over a socket of its own, byte for byte as given: no client library tidies it up.

import { connect } from 'node:net';

export interface Exchange {
  /** 0 when the server closed or kept silent without an answer. */
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
  /** Whether the body had its declared length, or an end of its own. */
  readonly complete: boolean;
}

/** How long a server may keep silent on what may be an unfinished request, milliseconds. */
const SILENCE_MS = 250;
/** How long it may take to answer a request that is complete, milliseconds. */
const ANSWER_MS = 30_000;

const NO_ANSWER: Exchange = {
  status: 0,
  headers: new Map(),
  body: Buffer.alloc(0),
  complete: false,
};

/** Sends the bytes and reads the first final answer. */
export function exchange(url: string, bytes: Uint8Array, mustAnswer: boolean): Promise<Exchange> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const isHead = Buffer.from(bytes.subarray(0, 5)).toString('latin1') === 'HEAD ';
    const socket = connect({ host: hostname, port: Number(port) });
    const finish = (): void => {
      socket.destroy();
      resolve(parseAnswer(Buffer.concat(chunks), isHead) ?? NO_ANSWER);
    };
    socket.setTimeout(mustAnswer ? ANSWER_MS : SILENCE_MS, finish);
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      if (parseAnswer(Buffer.concat(chunks), isHead)?.complete === true) finish();
    });
    // A reset after the answer is the server's way to refuse the rest of a request.
    socket.on('error', finish);
    socket.on('close', finish);
    socket.write(bytes);
  });
}

/** Reads an answer, skipping interim ones; undefined while its header is not complete. */
function parseAnswer(bytes: Buffer, isHead: boolean): Exchange | undefined {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [statusLine = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n');
  const status = Number(/^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(statusLine)?.[1] ?? 0);
  if (status >= 100 && status < 200) return parseAnswer(bytes.subarray(end + 4), isHead);
  const headers = new Map(
    lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
  if (isHead) return { status, headers, body: Buffer.alloc(0), complete: true };
  const rest = bytes.subarray(end + 4);
  if (headers.get('transfer-encoding') === 'chunked')
    return { status, headers, ...readChunks(rest) };
  const length = Number(headers.get('content-length') ?? Number.POSITIVE_INFINITY);
  return { status, headers, body: rest.subarray(0, length), complete: rest.length >= length };
}

function readChunks(bytes: Buffer): { body: Buffer; complete: boolean } {
  const chunks: Buffer[] = [];
  for (let position = 0; ; ) {
    const end = bytes.indexOf('\r\n', position);
    const size =
      end < 0 ? Number.NaN : Number.parseInt(bytes.toString('latin1', position, end), 16);
    if (!(size > 0)) return { body: Buffer.concat(chunks), complete: size === 0 };
    chunks.push(bytes.subarray(end + 2, end + 2 + size));
    position = end + 2 + size + 2;
  }
}
