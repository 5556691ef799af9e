// Names and trust: the resolver of the machine, and the authorities that come with the runtime.

import { lookup } from 'node:dns/promises';
import { rootCertificates } from 'node:tls';
import type { Network } from '../../runtime/runtime.ts';

export const nodeNetwork: Network = {
  // `verbatim` keeps the order of getaddrinfo(3), which follows RFC 6724.
  lookup: async (host) => {
    const found = await lookup(host, { all: true, verbatim: true });
    return found.map(({ address }) => address);
  },
  rootCertificates,
};
