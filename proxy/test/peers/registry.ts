// distribution, the reference registry, as an upstream: on a port of its own, with its access log.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getProgram, Program } from './program.ts';

export interface AccessLogEntry {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly size: number;
}

export interface Registry {
  readonly url: string;
  /** `host:port`, as image references have it. */
  readonly host: string;
  /** What was asked of it so far. */
  accessLog(): readonly AccessLogEntry[];
  stop(): Promise<void>;
}

export interface RegistryOptions {
  /** Makes it a pull-through cache of this URL: the peer that Mica is compared with. */
  readonly proxyOf?: string;
}

/** Starts a registry on the images in `folder`. */
export async function startRegistry(
  folder: string,
  options: RegistryOptions = {},
): Promise<Registry> {
  const work = await mkdtemp(join(tmpdir(), 'mica-registry-'));
  const file = join(work, 'config.yml');
  await writeFile(file, configuration(folder, options));
  const program = Program.start([getProgram('registry'), 'serve', file], {
    environment: { OTEL_TRACES_EXPORTER: 'none' },
  });
  const [, host = ''] = await program.untilPrinted(/listening on (127\.0\.0\.1:\d+)/);
  return {
    url: `http://${host}`,
    host,
    accessLog: () => parseAccessLog(program.output),
    stop: async () => {
      await program.stop();
      await rm(work, { recursive: true, force: true });
    },
  };
}

function configuration(folder: string, options: RegistryOptions): string {
  const lines = [
    'version: 0.1',
    'log: { level: info, accesslog: { disabled: false } }',
    `storage: { filesystem: { rootdirectory: ${JSON.stringify(folder)} } }`,
    'http: { addr: "127.0.0.1:0" }',
  ];
  if (options.proxyOf !== undefined)
    lines.push(`proxy: { remoteurl: ${JSON.stringify(options.proxyOf)} }`);
  return `${lines.join('\n')}\n`;
}

/** https://httpd.apache.org/docs/2.4/logs.html#accesslog */
function parseAccessLog(text: string): readonly AccessLogEntry[] {
  const pattern = /"(GET|HEAD|POST|PUT|PATCH|DELETE) (\S+) HTTP\/[\d.]+" (\d{3}) (\d+|-)/g;
  return [...text.matchAll(pattern)].map(([, method = '', path = '', status, size]) => ({
    method,
    path,
    status: Number(status),
    size: size === '-' ? 0 : Number(size),
  }));
}
