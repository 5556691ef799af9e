// One body on its way from its source to a response: the next piece is read while the last one is
// being written, so that disk and network work at the same time.

import type { ServerResponse } from 'node:http';
import type { BlobBody, BodyPart, SentBody } from '../../routes/send-body.ts';
import { type BufferPool, LARGE_BUFFER, SMALL_BUFFER } from './buffer-pool.ts';
import type { HotPieces } from './hot-pieces.ts';

/** Pieces that are being written at once. */
const MAX_WRITES = 2;

/** A client that takes longer for a large piece is slow, ms: less than 2 MiB/s. */
const SLOW_WRITE_MS = 500;

/** How long a client may take to see the end of a short body before the connection is gone, ms. */
const LINGER_MS = 10_000;

/** Clients give up on a registry whose headers do not come; a source may take long for its first bytes. */
const HEADERS_WITHIN_MS = 1000;

/** What all bodies of a server share. */
export interface SharedBuffers {
  readonly pool: BufferPool;
  readonly hot: HotPieces;
}

/** A buffer's way back, after it was written or when that will never be known. */
interface Holding {
  give(): void;
  drop(): void;
}

export class BodyTransfer {
  readonly #response: ServerResponse;
  readonly #body: BlobBody;
  readonly #buffers: SharedBuffers;
  readonly #sent: (result: SentBody) => void;
  /** Buffers that the response has and has not given back. */
  readonly #writing = new Set<Holding>();
  #pendingWrites = 0;
  #bytesSent = 0;
  #isSlow = false;
  #isClosed = false;
  #wake: (() => void) | undefined;

  constructor(
    response: ServerResponse,
    body: BlobBody,
    buffers: SharedBuffers,
    sent: (result: SentBody) => void,
  ) {
    this.#response = response;
    this.#body = body;
    this.#buffers = buffers;
    this.#sent = sent;
  }

  /** Sends the body; the head was written. Never rejects. */
  async run(): Promise<void> {
    const { source, parts } = this.#body;
    this.#response.once('close', this.#close);
    this.#response.on('error', this.#close);
    // A response whose turn on a pipelined connection never comes hears nothing of its end.
    const { socket } = this.#response.req;
    socket.once('close', this.#close);
    if (socket.destroyed || this.#response.destroyed || this.#response.req.destroyed) this.#close();
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
    socket.off('close', this.#close);
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

  /** Writes one piece; gives its length. */
  async #sendPiece(position: number, end: number): Promise<number> {
    const sent = await this.#sendHotPiece(position, end);
    return sent > 0 || this.#isClosed ? sent : await this.#sendOwnPiece(position, end);
  }

  /** Writes a piece that other bodies of the blob may use too; 0 when that cannot be. */
  async #sendHotPiece(position: number, end: number): Promise<number> {
    const { hot } = this.#buffers;
    const { source } = this.#body;
    const { identity } = source;
    if (identity === undefined || this.#isSlow || end - position <= SMALL_BUFFER) return 0;
    const start = position - (position % LARGE_BUFFER);
    const piece = hot.take(identity, start, (into) => source.read(into, start));
    if (piece === undefined) return 0;
    // When another's read fails, this body's own read tells why.
    const length = await piece.length.catch(() => 0);
    const bytes = piece.buffer.subarray(position - start, Math.min(length, end - start));
    if (bytes.length === 0 || this.#isClosed) {
      hot.give(piece);
      return 0;
    }
    this.#write(bytes, { give: () => hot.give(piece), drop: () => hot.drop(piece) });
    return bytes.length;
  }

  /** Reads and writes one piece; gives its length. */
  async #sendOwnPiece(position: number, end: number): Promise<number> {
    const { pool } = this.#buffers;
    const wanted = end - position;
    const buffer = pool.take(wanted, this.#isSlow);
    let length = 0;
    try {
      const into = wanted < buffer.length ? buffer.subarray(0, wanted) : buffer;
      length = await this.#body.source.read(into, position);
    } catch (error) {
      pool.give(buffer);
      throw error;
    }
    if (length === 0 || this.#isClosed) {
      pool.give(buffer);
      if (this.#isClosed) return 0;
      throw new Error(`the source ended at ${position}, expected ${end} bytes`);
    }
    this.#write(buffer.subarray(0, length), {
      give: () => pool.give(buffer),
      drop: () => pool.drop(buffer),
    });
    return length;
  }

  #write(bytes: Uint8Array, holding: Holding | undefined): void {
    const startMs = performance.now();
    this.#pendingWrites += 1;
    if (holding !== undefined) this.#writing.add(holding);
    this.#response.write(bytes, (error) => {
      this.#pendingWrites -= 1;
      if (holding !== undefined && this.#writing.delete(holding)) holding.give();
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
    for (const holding of this.#writing) holding.drop();
    this.#writing.clear();
    this.#body.source.close();
    this.#wake?.();
  };
}
