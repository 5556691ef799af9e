// Sends bodies on Deno: a byte stream that reads its source when the client takes more.

import type { Context } from 'hono';
import type { BlobBody, BodyPart, SendBody, SentBody } from '../../routes/send-body.ts';

/** Bytes of one read: Deno copies every piece, and larger ones gained nothing. */
const PIECE_SIZE = 256 * 1024;

class BodyStream implements UnderlyingDefaultSource<Uint8Array<ArrayBuffer>> {
  readonly #body: BlobBody;
  readonly #sent: (result: SentBody) => void;
  readonly #parts: BodyPart[];
  /** Bytes of the first of the parts that were handed out. */
  #done = 0;
  #bytes = 0;
  #hasEnded = false;

  constructor(body: BlobBody, sent: (result: SentBody) => void) {
    this.#body = body;
    this.#sent = sent;
    this.#parts = [...body.parts];
  }

  async pull(controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>): Promise<void> {
    try {
      const piece = await this.#next();
      if (this.#hasEnded) return;
      if (piece === undefined) {
        this.#end({ bytes: this.#bytes, outcome: 'complete' });
        controller.close();
        return;
      }
      this.#bytes += piece.length;
      controller.enqueue(piece);
    } catch (error) {
      if (this.#hasEnded) return;
      this.#end({ bytes: this.#bytes, outcome: 'short', error });
      // An error would reset the connection; the end of the stream short of Content-Length closes it.
      controller.close();
    }
  }

  cancel(): void {
    this.#end({ bytes: this.#bytes, outcome: 'aborted' });
  }

  #end(result: SentBody): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#body.source.close();
    this.#sent(result);
  }

  async #next(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const part = this.#parts[0];
    if (part === undefined) return undefined;
    if (part.kind === 'bytes') {
      this.#parts.shift();
      return new Uint8Array(part.bytes);
    }
    const position = part.start + this.#done;
    if (position >= part.end) {
      this.#parts.shift();
      this.#done = 0;
      return await this.#next();
    }
    const into = new Uint8Array(Math.min(PIECE_SIZE, part.end - position));
    const length = await this.#body.source.read(into, position);
    if (length === 0)
      throw new Error(`the source ended at ${position}, expected ${part.end} bytes`);
    this.#done += length;
    return into.subarray(0, length);
  }
}

export const sendBody: SendBody = (_c: Context, head, body, sent) => {
  const stream = new ReadableStream(new BodyStream(body, sent), { highWaterMark: 0 });
  return new Response(stream, head);
};
