// The admin API, for operators and their tools; it is never on the public port.

import { Hono } from 'hono';
import type { Log } from '../log.ts';
import { checkReadiness, type ReadinessCheck } from './health.ts';
import type { ImageUses } from './images.ts';
import type { Metrics } from './metrics.ts';
import type { PageFile } from './page-files.ts';
import type { SavingsSample } from './savings-history.ts';
import { readStats, type StatsParts } from './stats.ts';

export interface AdminParts {
  readonly metrics: Pick<Metrics, 'registry' | 'storeCounted'>;
  readonly stats: StatsParts;
  readonly images: () => Promise<ImageUses>;
  readonly savings: () => readonly SavingsSample[];
  readonly page: ReadonlyMap<string, PageFile>;
  /** What has to work for the mirror to serve: the store and the index. */
  readonly checks: Readonly<Record<string, ReadinessCheck>>;
  readonly log: Log;
}

/**
 * The page runs the files of its own server, reads from it, and nothing else.
 * Source: https://www.w3.org/TR/CSP3/#csp-directives
 */
const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'Cache-Control': 'no-cache',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
};

export function createAdminApp(parts: AdminParts): Hono {
  const app = new Hono();
  for (const [path, file] of parts.page) {
    const headers = { ...PAGE_HEADERS, 'Content-Type': file.contentType };
    app.get(path, async (c) => c.body(await file.read(), 200, headers));
  }
  app.get('/healthz', (c) => c.text('ok\n'));
  app.get('/readyz', async (c) => {
    const readiness = await checkReadiness(parts.checks);
    return c.json(readiness, readiness.isReady ? 200 : 503);
  });
  app.get('/metrics', async (c) => {
    const { registry } = parts.metrics;
    parts.metrics.storeCounted(await parts.stats.usage());
    return c.body(await registry.metrics(), 200, { 'Content-Type': registry.contentType });
  });
  app.get('/stats', async (c) => c.json(await readStats(parts.stats)));
  app.get('/stats/images', async (c) => c.json(await parts.images()));
  app.get('/stats/savings', (c) => c.json(parts.savings()));
  app.onError((error, c) => {
    parts.log.error({ error }, 'a request to the admin API failed');
    return c.text('internal error\n', 500);
  });
  return app;
}
