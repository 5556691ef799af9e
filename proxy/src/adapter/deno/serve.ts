// The servers on Deno: the registry API, with TLS where configured, and the admin API.

import { readFile } from 'node:fs/promises';
import { formatAddress } from '../../config/address.ts';
import type { Address, Config } from '../../config/config.ts';
import type { Log } from '../../log.ts';
import { OciError } from '../../oci/error.ts';
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
  const registry = open(
    app,
    config.listen,
    tls === undefined ? {} : await loadCertificate(tls),
    log,
  );
  let adminServer: DenoServer;
  try {
    adminServer = open(admin, config.admin, {}, log);
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
  log: Log,
): DenoServer {
  const answers = new OpenAnswers();
  let isStopping = false;
  const server = Deno.serve(
    {
      hostname: address.host,
      port: address.port,
      ...certificate,
      // Deno prints the address unless somebody listens for it.
      onListen: () => undefined,
    },
    (request, info) => {
      if (isStopping) return stopping();
      answers.add(info.completed);
      return handler.fetch(request, info);
    },
  );
  return {
    address: { host: server.addr.hostname, port: server.addr.port },
    // shutdown() closes the port and then waits for idle connections, which clients keep and which
    // nothing can close any more: the end of the process does.
    drain: (limitMs) => {
      isStopping = true;
      server
        .shutdown()
        .catch((error: unknown) => log.warn({ err: error }, 'a server did not stop'));
      return answers.untilNone(limitMs);
    },
  };
}

function stopping(): Response {
  const error = new OciError('TOOMANYREQUESTS', 503, 'Mica is stopping');
  const headers = { 'Content-Type': 'application/json', 'Retry-After': '10', Connection: 'close' };
  return new Response(JSON.stringify(error), { status: error.status, headers });
}

/** The answers that are under way. */
class OpenAnswers {
  readonly #open = new Set<Promise<void>>();
  #tell: () => void = () => undefined;

  add(completed: Promise<void>): void {
    const ended = completed
      // A client that left has ended its answer too; the access log has told it.
      .catch(() => undefined)
      .then(() => {
        this.#open.delete(ended);
        if (this.#open.size === 0) this.#tell();
      });
    this.#open.add(ended);
  }

  /** Waits for the last one, but no longer than the limit. */
  untilNone(limitMs: number): Promise<void> {
    if (this.#open.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const limit = setTimeout(resolve, limitMs);
      this.#tell = () => {
        clearTimeout(limit);
        resolve();
      };
    });
  }
}
