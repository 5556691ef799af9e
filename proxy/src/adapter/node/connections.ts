// A server's connections and the answers open on each, so that the server can stop without cutting
// any. Node's own closeIdleConnections() takes an answer for done while its last bytes still wait to
// be sent: https://github.com/nodejs/node/blob/v20.20.2/lib/_http_server.js

import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { Server as NetServer, type Socket } from 'node:net';

export class Connections {
  readonly #server: Server;
  /** Answers open on each connection. */
  readonly #open = new Map<Socket, number>();
  /** Connections that may not carry HTTP yet: those in a TLS handshake. */
  readonly #raw = new Set<Socket>();
  #isDraining = false;

  /** `event`: where the server tells of connections that carry HTTP. */
  constructor(server: Server, event: 'connection' | 'secureConnection') {
    this.#server = server;
    server.on('connection', (socket: Socket) => {
      this.#raw.add(socket);
      socket.once('close', () => this.#raw.delete(socket));
    });
    server.on(event, (socket: Socket) => {
      this.#open.set(socket, 0);
      socket.once('close', () => this.#open.delete(socket));
    });
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      const { socket } = request;
      this.#change(socket, 1);
      response.once('close', () => this.#change(socket, -1));
    });
  }

  /** Stops accepting; returns when all answers have ended, or were cut after `limitMs`. */
  async drain(limitMs: number): Promise<void> {
    this.#isDraining = true;
    await new Promise<void>((resolve) => {
      const limit = setTimeout(() => {
        this.#cut();
        resolve();
      }, limitMs);
      NetServer.prototype.close.call(this.#server, () => {
        clearTimeout(limit);
        resolve();
      });
      for (const [socket, open] of this.#open) if (open === 0) socket.destroySoon();
    });
  }

  #change(socket: Socket, by: number): void {
    const open = this.#open.get(socket);
    if (open === undefined) return;
    this.#open.set(socket, open + by);
    if (this.#isDraining && open + by === 0) socket.destroySoon();
  }

  #cut(): void {
    for (const socket of [...this.#open.keys(), ...this.#raw]) socket.destroy();
  }
}
