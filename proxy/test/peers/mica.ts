// Mica's commands as processes of their own, on a data folder that a server uses or used.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PROJECT_FOLDER, Program, type RunResult, tryProgram } from './program.ts';

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
  const { timeoutMs } = options;
  return await tryProgram(await commandOf(options, args), {
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  });
}

/** Starts `mica ARGS --config FILE`, to be killed. */
export async function startMicaCommand(
  options: MicaCommandOptions,
  ...args: readonly string[]
): Promise<Program> {
  return Program.start(await commandOf(options, args));
}

async function commandOf(
  { folder, data, upstreams }: MicaCommandOptions,
  args: readonly string[],
): Promise<readonly string[]> {
  const file = join(folder, 'command.yaml');
  const ports = { listen: '127.0.0.1:0', admin: '127.0.0.1:0' };
  // JSON is YAML: https://yaml.org/spec/1.2.2/#12-yaml-history
  await writeFile(file, JSON.stringify({ ...ports, data, upstreams }));
  return [process.execPath, MAIN, ...args, '--config', file];
}
