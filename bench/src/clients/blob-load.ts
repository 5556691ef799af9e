// Asks for one blob over and over and reads the bodies into one buffer that all connections share:
// autocannon parses every chunk in JavaScript and keeps bodies as strings, and reaches 45 answers of
// 1 MiB a second where this reaches 2,200 from the same server on the same machine.
import { connect } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { mebibyte } from '../lib/content.ts';
import { percentile } from '../lib/statistics.ts';
import { readOptions, writeResult } from './client.ts';
import type { LoadOptions, LoadResult } from './load.ts';

/** Until the connections are open and their windows have grown; not measured. */
const rampMs = 500;

class BlobLoad {
  /** Body bytes received so far, by all connections. */
  received = 0;
  right = 0;
  wrong = 0;
  latencies: number[] = [];
  readonly #options: LoadOptions;
  readonly #buffer = Buffer.allocUnsafe(mebibyte);
  #isEnding = false;

  constructor(options: LoadOptions) {
    this.#options = options;
  }

  /** After this, connections that break are not an error. */
  end(): void {
    this.#isEnding = true;
  }

  /** Opens one connection that asks again as soon as a body is complete. */
  open(): void {
    const { url, accept, size } = this.#options;
    const { hostname, port, pathname, host } = new URL(url);
    const request = `GET ${pathname} HTTP/1.1\r\nHost: ${host}\r\nAccept: ${accept}\r\n\r\n`;
    let head = '';
    /** Bytes of the body still to come; undefined while the head is being read. */
    let left: number | undefined;
    let askedAt = 0;
    const ask = (): void => {
      head = '';
      left = undefined;
      askedAt = performance.now();
      socket.write(request);
    };
    const readHead = (piece: Buffer): number => {
      const before = head.length;
      head += piece.toString('latin1');
      const end = head.indexOf('\r\n\r\n');
      if (end < 0) {
        return piece.length;
      }
      if (!isRightHead(head.slice(0, end), size)) {
        this.wrong += 1;
        socket.destroy();
        return piece.length;
      }
      left = size;
      return end + 4 - before;
    };
    const receive = (piece: Buffer): void => {
      const body = left === undefined ? piece.subarray(readHead(piece)) : piece;
      if (left === undefined) {
        return;
      }
      this.received += body.length;
      left -= body.length;
      if (left === 0) {
        this.right += 1;
        this.latencies.push(performance.now() - askedAt);
        ask();
      } else if (left < 0) {
        this.wrong += 1;
        socket.destroy();
      }
    };
    const socket = connect({
      host: hostname,
      port: Number(port),
      onread: {
        buffer: this.#buffer,
        callback: (length) => {
          receive(this.#buffer.subarray(0, length));
          return true;
        },
      },
    });
    const broken = (): void => {
      this.wrong += this.#isEnding ? 0 : 1;
    };
    socket.on('error', broken);
    socket.on('end', broken);
    ask();
  }
}

function isRightHead(head: string, size: number): boolean {
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  return /^HTTP\/1\.1 200 /.test(head) && Number(length) === size;
}

async function load(options: LoadOptions): Promise<LoadResult> {
  const blobs = new BlobLoad(options);
  for (let count = 0; count < options.connections; count += 1) {
    blobs.open();
  }
  await wait(rampMs);
  const before = blobs.received;
  blobs.latencies = [];
  const startedAt = performance.now();
  await wait(options.seconds * 1e3);
  const seconds = (performance.now() - startedAt) / 1e3;
  blobs.end();
  const bytesPerSecond = (blobs.received - before) / seconds;
  return {
    // By bytes, since answers that are under way at either end would else count wholly or not at all.
    requestsPerSecond: bytesPerSecond / options.size,
    bytesPerSecond,
    p50Ms: percentile(blobs.latencies, 0.5),
    p99Ms: percentile(blobs.latencies, 0.99),
    right: blobs.right,
    wrong: blobs.wrong,
  };
}

writeResult(await load(readOptions<LoadOptions>()));
process.exit(0);
