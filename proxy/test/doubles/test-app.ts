// The registry API over a fake mirror, for tests of what a client sees.

import type { Hono } from 'hono';
import { type AppParts, createApp } from '../../src/app.ts';
import type { UpstreamConfig } from '../../src/config/config.ts';
import type { Log } from '../../src/log.ts';
import type { AppEnvironment, EndedRequest } from '../../src/middleware/request-record.ts';
import type { SendBody, SentBody } from '../../src/routes/send-body.ts';
import { FakeMirror } from './fake-mirror.ts';

export const silentLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

export function upstreamConfig(changes: Partial<UpstreamConfig> = {}): UpstreamConfig {
  return {
    urls: ['http://127.0.0.1:1'],
    passThrough: false,
    hosts: [],
    connectTimeoutMs: 1000,
    headersTimeoutMs: 1000,
    bodyTimeoutMs: 1000,
    ...changes,
  };
}

export const testUpstreams = {
  'docker.io': upstreamConfig(),
  'ghcr.io': upstreamConfig({ hosts: ['ghcr.mirror.test'] }),
  'localhost:5601': upstreamConfig(),
  'private.test': upstreamConfig({ passThrough: true }),
};

/** Reads the whole body into a plain Response: enough where the way of sending is not the point. */
export const sendWhole: SendBody = async (_c, head, body, sent) => {
  const bytes = new Uint8Array(body.length);
  let filled = 0;
  let result: SentBody = { bytes: body.length, outcome: 'complete' };
  for (const part of body.parts) {
    if (part.kind === 'bytes') {
      bytes.set(part.bytes, filled);
      filled += part.bytes.length;
      continue;
    }
    for (let position = part.start; position < part.end; ) {
      const into = bytes.subarray(filled, filled + part.end - position);
      const count = await body.source.read(into, position);
      if (count === 0) result = { bytes: filled, outcome: 'short' };
      if (count === 0) break;
      position += count;
      filled += count;
    }
  }
  body.source.close();
  sent(result);
  return new Response(bytes, head);
};

export interface TestApp {
  readonly app: Hono<AppEnvironment>;
  readonly mirror: FakeMirror;
  readonly ended: EndedRequest[];
}

export function testApp(changes: Partial<AppParts> = {}): TestApp {
  const mirror = new FakeMirror();
  const ended: EndedRequest[] = [];
  const app = createApp({
    mirror,
    config: { upstreams: testUpstreams, defaultUpstream: 'docker.io' },
    sendBody: sendWhole,
    log: silentLog,
    clientAddress: () => '192.0.2.1',
    requestEnded: (request) => ended.push(request),
    ...changes,
  });
  return { app, mirror, ended };
}
