// One listening port that can be closed and opened again, as a registry that goes away does.

import { once } from 'node:events';
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { Socket } from 'node:net';

export interface TlsOptions {
  readonly cert: string;
  readonly key: string;
  readonly ca?: string;
  readonly requestCert?: boolean;
}

export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

export class Listener {
  readonly #handler: Handler;
  readonly #tls: TlsOptions | undefined;
  readonly #address: string;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #port: number;

  constructor(handler: Handler, address: string, port: number, tls: TlsOptions | undefined) {
    this.#handler = handler;
    this.#tls = tls;
    this.#address = address;
    this.#port = port;
  }

  get host(): string {
    return `${this.#address}:${this.#port}`;
  }

  get url(): string {
    return `${this.#tls === undefined ? 'http' : 'https'}://${this.host}`;
  }

  /** Open connections. */
  get connections(): number {
    return this.#sockets.size;
  }

  async open(): Promise<void> {
    const server =
      this.#tls === undefined
        ? createHttpServer(this.#handler)
        : createHttpsServer(
            { ...this.#tls, rejectUnauthorized: this.#tls.requestCert === true },
            this.#handler,
          );
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.once('close', () => this.#sockets.delete(socket));
    });
    server.listen(this.#port, this.#address);
    await once(server, 'listening');
    const address = server.address();
    if (address !== null && typeof address === 'object') this.#port = address.port;
    this.#server = server;
  }

  /** Stops listening and cuts every connection; open() takes the same port again. */
  async close(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    const closed = once(server, 'close');
    server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}
