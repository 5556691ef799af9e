// Asks for one manifest over and over with autocannon; every status, length and body is compared.
import autocannon from 'autocannon';
import { percentile } from '../lib/statistics.ts';
import { readOptions, writeResult } from './client.ts';
import type { LoadOptions, LoadResult } from './load.ts';

async function load(options: LoadOptions): Promise<LoadResult> {
  const latencies: number[] = [];
  let wrong = 0;
  const { url, connections, seconds, accept, size, body } = options;
  const result = await autocannon({
    url,
    connections,
    duration: seconds,
    headers: { accept },
    ...(body === undefined ? {} : { expectBody: body }),
    setupClient: (client) => {
      // autocannon's own latencies are whole milliseconds, which is most of an answer's time here.
      client.on('response', (status, _bytes, latencyMs) => {
        latencies.push(latencyMs);
        wrong += status === 200 ? 0 : 1;
      });
    },
  });
  const right = result.requests.total - wrong - result.mismatches;
  return {
    requestsPerSecond: right / result.duration,
    bytesPerSecond: (right * size) / result.duration,
    p50Ms: percentile(latencies, 0.5),
    p99Ms: percentile(latencies, 0.99),
    right,
    wrong: wrong + result.mismatches + result.errors + result.timeouts,
  };
}

writeResult(await load(readOptions<LoadOptions>()));
