// Serving on Deno.

import type { Context } from 'hono';
import type { Serving } from '../serving.ts';
import { sendBody } from './send-body.ts';
import { listen } from './serve.ts';

function clientAddress(c: Context<{ Bindings: Partial<Deno.ServeHandlerInfo> }>): string {
  return c.env.remoteAddr?.hostname ?? '';
}

export function denoServing(): Serving {
  return { listen, sendBody, clientAddress };
}
