// A client that pulls a blob and says whether it got it, got a part, or was fooled.

import { createHash } from 'node:crypto';

/** `wrong`: a complete answer with other bytes, the one thing that must never be. */
export type Outcome = 'whole' | 'none' | 'wrong';

/** fetch() of Node 20 now and then never hears that the server it asked was killed, ms. */
const TIMEOUT_MS = 60_000;

/** Pulls a blob or a manifest by digest and hashes what comes. */
export async function pull(
  url: string,
  digest: string,
  signal: AbortSignal = AbortSignal.timeout(TIMEOUT_MS),
): Promise<Outcome> {
  const [algorithm = '', hex] = digest.split(':');
  try {
    const response = await fetch(url, { signal });
    if (response.status !== 200 || response.body === null) {
      await response.body?.cancel();
      return 'none';
    }
    const hash = createHash(algorithm);
    for await (const chunk of response.body) hash.update(chunk);
    return hash.digest('hex') === hex ? 'whole' : 'wrong';
  } catch {
    // Refused, reset or ended short: the client knows that it has nothing.
    return 'none';
  }
}
