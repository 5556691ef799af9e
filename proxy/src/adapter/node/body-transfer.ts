// One body on its way from its source to a response: the next piece is read while the last one is
// being written, so that disk and network work at the same time.

import type { ServerResponse } from 'node:http';
import type { BlobBody, BodyPart, SentBody } from '../../routes/send-body.ts';
import { type BufferPool, LARGE_BUFFER } from './buffer-pool.ts';

/** Pieces that are being written at once. */
const MAX_WRITES = 2;

/** A client that takes longer for a large piece is slow, ms: less than 2 MiB/s. */
const SLOW_WRITE_MS = 500;

/** How long a client may take to see the end of a short body before the connection is gone, ms. */
const LINGER_MS = 10_000;

/** Clients give up on a registry whose headers do not come; a source may take long for its first bytes. */
const HEADERS_WITHIN_MS = 1000;

export class BodyTransfer {
  readonly #response: ServerResponse;
  readonly #body: BlobBody;
  readonly #pool: BufferPool;
  readonly #sent: (result: SentBody) => void;
  /** Buffers that the response has and has not given back. */
  readonly #writing = new Set<Uint8Array>();
  #pendingWrites = 0;
  #bytesSent = 0;
  #isSlow = false;
  #isClosed = false;
  #wake: (() => void) | undefined;

  constructor(
    response: ServerResponse,
    body: BlobBody,
    pool: BufferPool,
    sent: (result: SentBody) => void,
  ) {
    this.#response = response;
    this.#body = body;
    this.#pool = pool;
    this.#sent = sent;
  }

  /** Sends the body; the head was written. Never rejects. */
  async run(): Promise<void> {
    const { source, parts } = this.#body;
    this.#response.once('close', this.#close);
    this.#response.on('error', this.#close);
    if (this.#response.destroyed || this.#response.req.destroyed) this.#close();
    const headersTimer = setTimeout(() => this.#response.flushHeaders(), HEADERS_WITHIN_MS);
    let error: unknown;
    try {
      for (const part of parts) await this.#sendPart(part);
      if (!this.#isClosed) this.#response.end();
    } catch (caught) {
      error = caught;
    }
    clearTimeout(headersTimer);
    while (!this.#isClosed && this.#pendingWrites > 0) await this.#change();
    source.close();
    this.#finish(error);
  }

  #finish(error: unknown): void {
    const bytes = this.#bytesSent;
    if (bytes === this.#body.length) this.#sent({ bytes, outcome: 'complete' });
    else if (this.#isClosed) this.#sent({ bytes, outcome: 'aborted' });
    else {
      this.#endShort();
      this.#sent({ bytes, outcome: 'short', error });
    }
  }

  /** Tells the client by an orderly close that no more comes: a reset would fail its pull. */
  #endShort(): void {
    const response = this.#response;
    const end = (): void => {
      const { socket } = response;
      if (socket === null) return;
      socket.end();
      const timer = setTimeout(() => socket.destroy(), LINGER_MS);
      timer.unref();
      socket.once('close', () => clearTimeout(timer));
    };
    response.shouldKeepAlive = false;
    // Also a body that ends before its first byte was promised by its headers.
    response.flushHeaders();
    // On a pipelined connection the response has no socket before its turn.
    if (response.socket === null) response.once('socket', end);
    else end();
  }

  async #sendPart(part: BodyPart): Promise<void> {
    if (part.kind === 'bytes') {
      await this.#slot();
      if (!this.#isClosed) this.#write(part.bytes, undefined);
      return;
    }
    let position = part.start;
    while (position < part.end && !this.#isClosed) {
      await this.#slot();
      if (this.#isClosed) return;
      position += await this.#sendPiece(position, part.end);
    }
  }

  /** Reads and writes one piece; gives its length. */
  async #sendPiece(position: number, end: number): Promise<number> {
    const wanted = end - position;
    const buffer = this.#pool.take(wanted, this.#isSlow);
    let length = 0;
    try {
      const into = wanted < buffer.length ? buffer.subarray(0, wanted) : buffer;
      length = await this.#body.source.read(into, position);
    } catch (error) {
      this.#pool.give(buffer);
      throw error;
    }
    if (length === 0 || this.#isClosed) {
      this.#pool.give(buffer);
      if (this.#isClosed) return 0;
      throw new Error(`the source ended at ${position}, expected ${end} bytes`);
    }
    this.#write(buffer.subarray(0, length), buffer);
    return length;
  }

  #write(bytes: Uint8Array, buffer: Uint8Array | undefined): void {
    const startMs = performance.now();
    this.#pendingWrites += 1;
    if (buffer !== undefined) this.#writing.add(buffer);
    this.#response.write(bytes, (error) => {
      this.#pendingWrites -= 1;
      if (buffer !== undefined && this.#writing.delete(buffer)) this.#pool.give(buffer);
      if (error === null || error === undefined) {
        this.#bytesSent += bytes.length;
        this.#noteSpeed(bytes.length, performance.now() - startMs);
      }
      this.#wake?.();
    });
  }

  #noteSpeed(length: number, durationMs: number): void {
    this.#isSlow = durationMs > (SLOW_WRITE_MS * length) / LARGE_BUFFER && durationMs > 20;
  }

  /** Waits until another piece may be written. */
  async #slot(): Promise<void> {
    while (!this.#isClosed && this.#pendingWrites >= MAX_WRITES) await this.#change();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  /** The connection is gone, or all was sent. */
  readonly #close = (): void => {
    if (this.#isClosed) return;
    this.#isClosed = true;
    // Writes of a dead connection may never be called back.
    for (const buffer of this.#writing) this.#pool.drop(buffer);
    this.#writing.clear();
    this.#body.source.close();
    this.#wake?.();
  };
}
