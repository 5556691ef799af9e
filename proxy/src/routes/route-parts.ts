// What the routes need to answer.

import type { Context } from 'hono';
import type { Viewer } from '../access/credential.ts';
import type { AppEnvironment } from '../middleware/request-record.ts';
import type { CacheStatus, Mirror } from '../pull/mirror.ts';
import type { SendBody } from './send-body.ts';

export interface RouteParts {
  readonly mirror: Mirror;
  readonly sendBody: SendBody;
}

/** A request on its way through a route. */
export interface Asked {
  readonly c: Context<AppEnvironment>;
  readonly url: URL;
  readonly viewer: Viewer;
}

/** Notes how the answer came about. */
export function noteCache(c: Context<AppEnvironment>, cache: CacheStatus): void {
  c.get('record').cache = cache;
}
