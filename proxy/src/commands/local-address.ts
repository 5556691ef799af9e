// Where commands find the server that runs on this machine.

import { formatAddress, isAnyHost } from '../config/address.ts';
import type { Address } from '../config/config.ts';

/** Where a server that listens on the address is reached from this machine. */
export function localAddress(address: Address): string {
  if (!isAnyHost(address.host)) return formatAddress(address);
  const host = address.host.includes(':') ? '::1' : '127.0.0.1';
  return formatAddress({ host, port: address.port });
}
