// Many clients that ask for one big blob and read it slowly; each hashes the first bytes it gets.
import { createHash } from 'node:crypto';
import { get, type IncomingMessage } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { readOptions, writeResult } from './client.ts';

export interface SlowReadersOptions {
  readonly url: string;
  readonly clients: number;
  readonly seconds: number;
  /** Of each client. */
  readonly bytesPerSecond: number;
  /** The right size of the blob, and its first bytes as hashed by the one who made it. */
  readonly size: number;
  readonly prefix: { readonly size: number; readonly sha256: string };
}

export interface SlowReadersResult {
  /** Body bytes read, all clients. */
  readonly read: number;
  /** Readers that did not get as far as the check in the time. */
  readonly starved: number;
  readonly wrong: readonly string[];
}

const tickMs = 250;

class SlowReader {
  read = 0;
  problem: string | undefined;
  readonly #options: SlowReadersOptions;
  readonly #hash = createHash('sha256');
  #hashed = 0;
  #response: IncomingMessage | undefined;

  constructor(options: SlowReadersOptions) {
    this.#options = options;
    const request = get(options.url, { agent: false }, (response) => {
      this.#response = response;
      const length = Number(response.headers['content-length']);
      if (response.statusCode !== 200 || length !== options.size) {
        this.problem = `status ${response.statusCode}, Content-Length ${length}`;
      }
    });
    request.on('error', (error) => {
      this.problem ??= error.message;
    });
  }

  /** Takes what may be read in one tick, if it has come. */
  tick(): void {
    let left = Math.ceil((this.#options.bytesPerSecond * tickMs) / 1e3);
    while (this.#response !== undefined && left > 0) {
      const ready = Math.min(left, this.#response.readableLength);
      // Without a size `read` also asks for more from a socket that was paused.
      const piece: Buffer | null = this.#response.read(ready > 0 ? ready : undefined);
      if (piece === null) {
        return;
      }
      left -= piece.length;
      this.#take(piece);
    }
  }

  #take(piece: Buffer): void {
    const { prefix } = this.#options;
    this.read += piece.length;
    if (this.#hashed === prefix.size) {
      return;
    }
    const part = piece.subarray(0, prefix.size - this.#hashed);
    this.#hash.update(part);
    this.#hashed += part.length;
    if (this.#hashed === prefix.size && this.#hash.digest('hex') !== prefix.sha256) {
      this.problem ??= 'other bytes';
    }
  }

  get isStarved(): boolean {
    return this.#hashed < this.#options.prefix.size;
  }

  end(): void {
    this.#response?.destroy();
  }
}

async function readSlowly(options: SlowReadersOptions): Promise<SlowReadersResult> {
  const readers = Array.from({ length: options.clients }, () => new SlowReader(options));
  const endAt = performance.now() + options.seconds * 1e3;
  while (performance.now() < endAt) {
    await wait(tickMs);
    for (const reader of readers) {
      reader.tick();
    }
  }
  for (const reader of readers) {
    reader.end();
  }
  return {
    read: readers.reduce((sum, reader) => sum + reader.read, 0),
    starved: readers.filter((reader) => reader.isStarved).length,
    wrong: readers.flatMap(({ problem }) => (problem === undefined ? [] : [problem])),
  };
}

writeResult(await readSlowly(readOptions<SlowReadersOptions>()));
process.exit(0);
