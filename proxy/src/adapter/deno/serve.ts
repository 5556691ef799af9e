// The servers on Deno: the registry API, with TLS where configured, and the admin API.

import { readFile } from 'node:fs/promises';
import { formatAddress } from '../../config/address.ts';
import type { Address, Config } from '../../config/config.ts';
import { DRAIN_MS, type Handler, type Listening, type ListenOptions } from '../serving.ts';

interface DenoServer {
  readonly address: Address;
  drain(limitMs: number): Promise<void>;
}

/** Listens on both addresses. */
export async function listen(options: ListenOptions): Promise<Listening> {
  const { config, app, admin, log } = options;
  const { tls } = config;
  if (tls?.clientCa !== undefined) {
    throw new Error('tls.clientCa: Deno cannot ask for client certificates; run Mica on Node');
  }
  if (tls !== undefined) {
    log.warn({}, 'on Deno a new certificate is used after a restart only');
  }
  const registry = open(app, config.listen, tls === undefined ? {} : await loadCertificate(tls));
  let adminServer: DenoServer;
  try {
    adminServer = open(admin, config.admin, {});
  } catch (error) {
    await registry.drain(0);
    throw error;
  }
  return {
    listen: `${tls === undefined ? 'http' : 'https'}://${formatAddress(registry.address)}`,
    admin: `http://${formatAddress(adminServer.address)}`,
    drain: async () => {
      await registry.drain(DRAIN_MS);
      await adminServer.drain(0);
    },
  };
}

async function loadCertificate(
  tls: NonNullable<Config['tls']>,
): Promise<{ readonly cert: string; readonly key: string }> {
  return { cert: await readFile(tls.cert, 'utf8'), key: await readFile(tls.key, 'utf8') };
}

function open(
  handler: Handler,
  address: Address,
  certificate: { readonly cert?: string; readonly key?: string },
): DenoServer {
  const cut = new AbortController();
  const server = Deno.serve(
    {
      hostname: address.host,
      port: address.port,
      ...certificate,
      signal: cut.signal,
      // Deno prints the address unless somebody listens for it.
      onListen: () => undefined,
    },
    (request, info) => handler.fetch(request, info),
  );
  return {
    address: { host: server.addr.hostname, port: server.addr.port },
    drain: async (limitMs) => {
      const limit = setTimeout(() => cut.abort(), limitMs);
      await server.shutdown();
      clearTimeout(limit);
    },
  };
}
