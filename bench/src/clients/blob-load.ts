// Asks for one blob over and over. autocannon parses every chunk in JavaScript and keeps bodies as
// strings, and reaches 45 answers of 1 MiB a second where this reaches 2,200 from the same server.
import { setTimeout as wait } from 'node:timers/promises';
import { percentile } from '../lib/statistics.ts';
import { BodyReader } from './body-reader.ts';
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

  /** Opens one connection that asks again as soon as a body is complete. */
  open(options: LoadOptions): void {
    let askedAt = 0;
    const ask = (): void => {
      askedAt = performance.now();
      reader.ask();
    };
    const reader = new BodyReader(options, {
      onPiece: (piece) => {
        this.received += piece.length;
      },
      onEnd: () => {
        this.right += 1;
        this.latencies.push(performance.now() - askedAt);
        ask();
      },
      onProblem: () => {
        this.wrong += 1;
      },
    });
    ask();
  }
}

async function load(options: LoadOptions): Promise<LoadResult> {
  const blobs = new BlobLoad();
  for (let count = 0; count < options.connections; count += 1) {
    blobs.open(options);
  }
  await wait(rampMs);
  const before = blobs.received;
  blobs.latencies = [];
  const startedAt = performance.now();
  await wait(options.seconds * 1e3);
  const seconds = (performance.now() - startedAt) / 1e3;
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
