// The servers on Node: the registry API, with TLS where configured, and the admin API.

import { createServer, type Server, type ServerOptions } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { formatAddress } from '../../config/address.ts';
import type { Address } from '../../config/config.ts';
import { OciError } from '../../oci/error.ts';
import { DRAIN_MS, type Handler, type Listening, type ListenOptions } from '../serving.ts';
import { loadCertificate, watchCertificate } from './certificate.ts';
import { Connections } from './connections.ts';

/** Time for a request's headers, and for the whole request, ms; bodies of answers have no limit. */
const HEADERS_TIMEOUT_MS = 20_000;
const REQUEST_TIMEOUT_MS = 30_000;

/** How long an idle connection is kept, ms: longer than the 60 s of usual load balancers. */
const KEEP_ALIVE_MS = 75_000;

/** How long a client may take not a single byte of its answer, ms: a stalled one holds a descriptor. */
const STALLED_MS = 5 * 60_000;

/** Largest head of a request, bytes: passwords of cloud registries take several KiB. */
const MAX_HEADER_SIZE = 32 * 1024;

/** Time that answers of the admin API have to end, ms: they are small. */
const ADMIN_DRAIN_MS = 1000;

const SERVER_OPTIONS: ServerOptions = {
  headersTimeout: HEADERS_TIMEOUT_MS,
  requestTimeout: REQUEST_TIMEOUT_MS,
  keepAliveTimeout: KEEP_ALIVE_MS,
  maxHeaderSize: MAX_HEADER_SIZE,
  keepAlive: true,
  noDelay: true,
};

/** Listens on both addresses. */
export async function listen(options: ListenOptions): Promise<Listening> {
  const { config, app, admin, log } = options;
  const { tls } = config;
  const certificate = tls === undefined ? undefined : await loadCertificate(tls);
  const secure =
    certificate === undefined
      ? undefined
      : createTlsServer({ ...SERVER_OPTIONS, ...certificate }, listener(app));
  const registry = secure ?? createServer(SERVER_OPTIONS, listener(app));
  const adminServer = createServer(SERVER_OPTIONS, listener(admin));
  registry.setTimeout(STALLED_MS);
  const connections = new Connections(registry, secure ? 'secureConnection' : 'connection');
  const adminConnections = new Connections(adminServer, 'connection');
  const address = await open(registry, config.listen);
  let adminAddress: Address;
  try {
    adminAddress = await open(adminServer, config.admin);
  } catch (error) {
    registry.close();
    throw error;
  }
  const unwatch =
    tls === undefined || secure === undefined
      ? () => undefined
      : watchCertificate(tls, secure, log);
  return {
    listen: `${secure === undefined ? 'http' : 'https'}://${formatAddress(address)}`,
    admin: `http://${formatAddress(adminAddress)}`,
    drain: async () => {
      unwatch();
      await connections.drain(DRAIN_MS);
      await adminConnections.drain(ADMIN_DRAIN_MS);
    },
  };
}

function listener(handler: Handler): ReturnType<typeof getRequestListener> {
  const turn = turnOfRequests();
  return getRequestListener((request, env) => turn().then(() => handler.fetch(request, env)), {
    errorHandler: () => malformedRequest(),
  });
}

/**
 * Resolves once all requests that came together have been read. Their answers then go out together,
 * which wakes each client once and not for every answer: a third more small answers a second.
 */
function turnOfRequests(): () => Promise<void> {
  let turn: Promise<void> | undefined;
  return () => {
    turn ??= new Promise((resolve) => {
      setImmediate(() => {
        turn = undefined;
        resolve();
      });
    });
    return turn;
  };
}

/** A request that cannot even be read, such as one with an impossible Host. */
function malformedRequest(): Response {
  const body = JSON.stringify(new OciError('NAME_INVALID', 400, 'the request is malformed'));
  return new Response(body, { status: 400, headers: { 'Content-Type': 'application/json' } });
}

function open(server: Server, address: Address): Promise<Address> {
  server.on('clientError', refuse);
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: address.host, port: address.port }, () => {
      server.off('error', reject);
      const { address: host, port } = server.address() as AddressInfo;
      resolve({ host, port });
    });
  });
}

/** Answers what Node's parser refuses. */
function refuse(
  error: NodeJS.ErrnoException,
  socket: Pick<Socket, 'writable' | 'end' | 'destroy'>,
) {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const status =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? '431 Request Header Fields Too Large'
      : '400 Bad Request';
  const body = JSON.stringify(new OciError('NAME_INVALID', 400, 'the request is malformed'));
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n` +
      `Connection: close\r\n\r\n${body}`,
  );
}
