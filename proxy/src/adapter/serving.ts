// What each runtime's adapter gives the program: servers, and a way to send bodies.

import type { Context } from 'hono';
import type { Config } from '../config/config.ts';
import type { Log } from '../log.ts';
import type { SendBody } from '../routes/send-body.ts';

/** A Hono app, as the servers see it. */
export interface Handler {
  fetch(request: Request, environment?: object): Response | Promise<Response>;
}

export interface ListenOptions {
  readonly app: Handler;
  readonly admin: Handler;
  readonly config: Pick<Config, 'listen' | 'admin' | 'tls'>;
  readonly log: Log;
}

/** Servers that are listening. */
export interface Listening {
  /** URL of the registry API. */
  readonly listen: string;
  readonly admin: string;
  /** Stops accepting, and returns once open bodies have ended or had their time. */
  drain(): Promise<void>;
}

export interface Serving {
  /** Rejects when an address cannot be had or a certificate cannot be read. */
  listen(options: ListenOptions): Promise<Listening>;
  readonly sendBody: SendBody;
  clientAddress(c: Context): string;
}

/** How long open bodies have to end when the program stops, ms: less than the 90 s after which systemd
 * kills, and enough for most layers. */
export const DRAIN_MS = 30_000;
