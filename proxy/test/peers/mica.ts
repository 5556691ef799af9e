// Mica's server as a process of its own, on free ports, as an operator would start it.

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PROJECT_FOLDER, Program, type RunResult, tryProgram } from './program.ts';

const MAIN = join(PROJECT_FOLDER, 'proxy/dist/src/adapter/node/main.js');

/** Reading the configuration and opening the index takes about half a second. */
const START_TIMEOUT_MS = 30_000;

export interface MicaOptions {
  /** Holds the configuration file; the data folder is `data` in it unless named. */
  readonly folder: string;
  readonly data?: string;
  /** Name of an upstream -> its URL. */
  readonly upstreams: Readonly<Record<string, string>>;
  readonly quota?: string;
  /** How long a tag is fresh: `60s`. */
  readonly tagsTtl?: string;
  /** Port of the registry API; any free one when absent. */
  readonly port?: number;
}

export interface Mica {
  /** Base URL of the registry API. */
  readonly url: string;
  /** `host:port` of the registry API, as image references have it. */
  readonly host: string;
  /** Base URL of the admin port. */
  readonly admin: string;
  readonly data: string;
  readonly program: Program;
  /** Ends it as a service manager does; rejects when it did not drain and leave in order. */
  stop(): Promise<void>;
  /** Ends it as a power cut does. */
  kill(): Promise<void>;
}

/** Starts a server and waits until it listens. */
export async function startMica(options: MicaOptions): Promise<Mica> {
  const { config, data } = await writeConfig(options);
  const program = Program.start(micaCommand('serve', '--config', config));
  const line = await program.untilPrinted(/^.*"msg":"listening".*$/m, START_TIMEOUT_MS);
  const { listen, admin } = JSON.parse(line[0]);
  return {
    url: listen,
    host: new URL(listen).host,
    admin,
    data,
    program,
    stop: async () => {
      const code = await program.stop();
      if (code !== 0) throw new Error(`serve ended with ${code}\n${tail(program)}`);
    },
    kill: async () => {
      program.kill('SIGKILL');
      await program.exited;
    },
  };
}

/** Runs one of Mica's commands on the same configuration. */
export async function runMica(
  options: MicaOptions,
  ...args: readonly string[]
): Promise<RunResult> {
  const { config } = await writeConfig(options);
  return await tryProgram(micaCommand(...args, '--config', config));
}

/** Starts `serve` and ends it with SIGKILL so many milliseconds later, listening or not. */
export async function killWhileStarting(options: MicaOptions, afterMs: number): Promise<void> {
  const { config } = await writeConfig(options);
  await tryProgram(micaCommand('serve', '--config', config), { timeoutMs: afterMs });
}

/** The last lines a server printed: what a failed test shows. */
export function tail(program: Program, lines = 30): string {
  return [program.output, program.errors]
    .map((text) => text.trimEnd().split('\n').slice(-lines).join('\n'))
    .join('\n');
}

function micaCommand(...args: readonly string[]): readonly string[] {
  return [process.execPath, MAIN, ...args];
}

async function writeConfig(options: MicaOptions): Promise<{ config: string; data: string }> {
  await mkdir(options.folder, { recursive: true });
  const config = join(options.folder, 'mica.yaml');
  const data = options.data ?? join(options.folder, 'data');
  const upstreams = Object.entries(options.upstreams).map(([name, url]) => [name, { url }]);
  // JSON is YAML: https://yaml.org/spec/1.2.2/#12-yaml-history
  const values = {
    listen: `127.0.0.1:${options.port ?? 0}`,
    admin: '127.0.0.1:0',
    data,
    upstreams: Object.fromEntries(upstreams),
    tags: { ttl: options.tagsTtl ?? '60s' },
    log: { level: 'info', format: 'json' },
    ...(options.quota === undefined ? {} : { quota: options.quota }),
  };
  await writeFile(config, JSON.stringify(values, null, 2));
  return { config, data };
}
