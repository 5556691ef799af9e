// Serving on Node.

import type { IncomingMessage } from 'node:http';
import type { Context } from 'hono';
import type { Serving } from '../serving.ts';
import { createSendBody } from './send-body.ts';
import { listen } from './serve.ts';

function clientAddress(c: Context<{ Bindings: { incoming?: IncomingMessage } }>): string {
  const address = c.env.incoming?.socket.remoteAddress ?? '';
  // IPv4 on a socket that listens for both: https://www.rfc-editor.org/rfc/rfc4291#section-2.5.5.2
  return address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address;
}

/** The servers of this process and its pool of buffers. */
export function nodeServing(): Serving {
  return { listen, sendBody: createSendBody(), clientAddress };
}
