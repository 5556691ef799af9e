// The admin API, for operators and their tools; it is never on the public port.

import { Hono } from 'hono';
import type { Log } from '../log.ts';
import { checkReadiness, type ReadinessCheck } from './health.ts';
import type { Metrics } from './metrics.ts';
import { ADMIN_PAGE } from './page.ts';
import { readStats, type StatsParts } from './stats.ts';

export interface AdminParts {
  readonly metrics: Pick<Metrics, 'registry' | 'storeCounted'>;
  readonly stats: StatsParts;
  /** What has to work for the mirror to serve: the store and the index. */
  readonly checks: Readonly<Record<string, ReadinessCheck>>;
  readonly log: Log;
}

/** The page runs its own script and reads from its own server only. */
const PAGE_POLICY =
  "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'";

export function createAdminApp(parts: AdminParts): Hono {
  const app = new Hono();
  app.get('/', (c) => c.html(ADMIN_PAGE, 200, { 'Content-Security-Policy': PAGE_POLICY }));
  app.get('/healthz', (c) => c.text('ok\n'));
  app.get('/readyz', async (c) => {
    const readiness = await checkReadiness(parts.checks);
    return c.json(readiness, readiness.isReady ? 200 : 503);
  });
  app.get('/metrics', async (c) => {
    const { registry } = parts.metrics;
    parts.metrics.storeCounted((await parts.stats.usage()).layers);
    return c.body(await registry.metrics(), 200, { 'Content-Type': registry.contentType });
  });
  app.get('/stats', async (c) => c.json(await readStats(parts.stats)));
  app.onError((error, c) => {
    parts.log.error({ error }, 'a request to the admin API failed');
    return c.text('internal error\n', 500);
  });
  return app;
}
