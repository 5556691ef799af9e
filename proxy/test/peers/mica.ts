// Mica's commands as processes of their own, on a data folder that a server uses or used.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PROJECT_FOLDER, type RunResult, tryProgram } from './program.ts';

const MAIN = join(PROJECT_FOLDER, 'proxy/dist/src/adapter/node/main.js');

export interface MicaCommandOptions {
  /** Where the configuration file is written. */
  readonly folder: string;
  readonly data: string;
  readonly upstreams: Readonly<Record<string, unknown>>;
  /** Kills the command when it takes longer. */
  readonly timeoutMs?: number;
}

/** Runs `mica ARGS --config FILE` to its end, whatever its exit code. */
export async function runMica(
  options: MicaCommandOptions,
  ...args: readonly string[]
): Promise<RunResult> {
  const { folder, data, upstreams, timeoutMs } = options;
  const file = join(folder, 'command.yaml');
  const ports = { listen: '127.0.0.1:0', admin: '127.0.0.1:0' };
  // JSON is YAML: https://yaml.org/spec/1.2.2/#12-yaml-history
  await writeFile(file, JSON.stringify({ ...ports, data, upstreams }));
  return await tryProgram([process.execPath, MAIN, ...args, '--config', file], {
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  });
}
