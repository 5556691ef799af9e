// Serving on Node.

import type { IncomingMessage } from 'node:http';
import type { Context } from 'hono';
import type { Serving } from '../serving.ts';
import { createSendBody } from './send-body.ts';
import { listen } from './serve.ts';

function clientAddress(c: Context<{ Bindings: { incoming?: IncomingMessage } }>): string {
  return c.env?.incoming?.socket.remoteAddress ?? '';
}

/** The servers of this process and its pool of buffers. */
export function nodeServing(): Serving {
  return { listen, sendBody: createSendBody(), clientAddress };
}
