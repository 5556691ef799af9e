// Reads answers off a connection at the least cost: all connections share one buffer, the head is
// looked at once, and bodies are handed on as they lie in the buffer.
import { connect, type Socket } from 'node:net';
import { mebibyte } from '../lib/content.ts';

/** What a reader tells; pieces are only good until the call returns. */
export interface BodyListener {
  /** The piece of the body that begins at `position`. */
  readonly onPiece: (piece: Buffer, position: number) => void;
  /** The body is complete. */
  readonly onEnd: () => void;
  /** Another status or length than expected, or the connection broke. Said once. */
  readonly onProblem: (problem: string) => void;
}

export interface BodyReaderOptions {
  readonly url: string;
  readonly accept: string;
  /** Size that the body has to have, bytes. */
  readonly size: number;
}

/** Node calls back before it reads again, so that one buffer does for all connections. */
const sharedBuffer = Buffer.allocUnsafe(mebibyte);

const headEnd = '\r\n\r\n';

export class BodyReader {
  readonly #size: number;
  readonly #request: string;
  readonly #listener: BodyListener;
  readonly #socket: Socket;
  #head = '';
  /** Bytes of the body that came; undefined while the head is being read. */
  #position: number | undefined;
  #isDone = false;

  constructor(options: BodyReaderOptions, listener: BodyListener) {
    const { hostname, port, pathname, host } = new URL(options.url);
    this.#size = options.size;
    this.#request = `GET ${pathname} HTTP/1.1\r\nHost: ${host}\r\nAccept: ${options.accept}\r\n\r\n`;
    this.#listener = listener;
    const callback = (length: number): boolean => {
      this.#receive(sharedBuffer.subarray(0, length));
      return true;
    };
    const onread = { buffer: sharedBuffer, callback };
    this.#socket = connect({ host: hostname, port: Number(port), onread });
    this.#socket.on('error', (error) => this.#fail(error.message));
    this.#socket.on('end', () => this.#fail(`ended after ${this.#position ?? 0} bytes`));
  }

  /** Sends the request; again after `onEnd`. */
  ask(): void {
    this.#head = '';
    this.#position = undefined;
    this.#socket.write(this.#request);
  }

  /** Nothing is told after this. */
  close(): void {
    this.#isDone = true;
    this.#socket.destroy();
  }

  #fail(problem: string): void {
    if (this.#isDone) {
      return;
    }
    this.close();
    this.#listener.onProblem(problem);
  }

  #receive(bytes: Buffer): void {
    const piece = this.#position === undefined ? this.#readHead(bytes) : bytes;
    if (this.#isDone || this.#position === undefined) {
      return;
    }
    const position = this.#position;
    this.#position += piece.length;
    if (this.#position > this.#size) {
      this.#fail('more bytes than its length');
      return;
    }
    this.#listener.onPiece(piece, position);
    if (this.#position === this.#size) {
      this.#listener.onEnd();
    }
  }

  /** What of the bytes is body. */
  #readHead(bytes: Buffer): Buffer {
    const before = this.#head.length;
    this.#head += bytes.toString('latin1');
    const end = this.#head.indexOf(headEnd);
    if (end < 0) {
      return bytes.subarray(bytes.length);
    }
    const head = this.#head.slice(0, end);
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    if (!/^HTTP\/1\.1 200 /.test(head) || Number(length) !== this.#size) {
      this.#fail(`${head.split('\r\n')[0]}, Content-Length ${length}, not ${this.#size}`);
    }
    this.#position = 0;
    return bytes.subarray(end + headEnd.length - before);
  }
}
