// Connects to the first address of a host that answers, and to no address that was not given.

import type { Clock } from '../runtime/runtime.ts';

/** How long one address is waited for alone. https://www.rfc-editor.org/rfc/rfc8305#section-8 */
const STAGGER_MS = 250;
/** Addresses that are tried; large services list dozens, of which a few tell enough. */
const MAX_ADDRESSES = 8;

/** What is opened: something that must be closed when another one was faster. */
export interface Connection {
  destroy(): unknown;
}

/** Tries addresses in order, each a moment after the one before; rejects as the last of them did. */
export async function connectAny<Opened extends Connection>(
  addresses: readonly string[],
  connect: (address: string) => Promise<Opened>,
  clock: Clock,
): Promise<Opened> {
  const attempts: Promise<Opened>[] = [];
  for (const address of addresses.slice(0, MAX_ADDRESSES)) {
    attempts.push(connect(address));
    if (attempts.length < addresses.length && (await isConnectedSoon(attempts, clock))) break;
  }
  try {
    const first = await Promise.any(attempts);
    for (const attempt of attempts) closeUnless(first, attempt);
    return first;
  } catch (error) {
    throw error instanceof AggregateError ? error.errors.at(-1) : error;
  }
}

/** False when all failed so far, or after a moment. */
async function isConnectedSoon(
  attempts: readonly Promise<Connection>[],
  clock: Clock,
): Promise<boolean> {
  const waited = new AbortController();
  const isConnected = await Promise.race([
    Promise.any(attempts).then(
      () => true,
      () => false,
    ),
    clock.sleep(STAGGER_MS, waited.signal).then(
      () => false,
      () => false,
    ),
  ]);
  waited.abort();
  return isConnected;
}

function closeUnless(first: Connection, attempt: Promise<Connection>): void {
  attempt.then(
    (other) => {
      if (other !== first) other.destroy();
    },
    () => {
      // A slower address that failed changes nothing.
    },
  );
}
