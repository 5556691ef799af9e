// A program run to its end, whose output goes to a log file: builds print much, and it is wanted only
// when they fail.
import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import type { Cleanup } from '../lib/cleanup.ts';

export interface LoggedOptions {
  readonly log: string;
  readonly cleanup: Cleanup;
  readonly environment?: Readonly<Record<string, string>>;
  readonly folder?: string;
}

/** Longer than any build takes on a slow machine: one that hangs must not hold up the rest for ever. */
const timeoutMs = 30 * 60_000;
const tailLines = 20;

/** Fails with the end of the log on any other exit code than 0. */
export async function runLogged(command: readonly string[], options: LoggedOptions): Promise<void> {
  const [program = '', ...rest] = command;
  const log = openSync(options.log, 'a');
  writeSync(log, `+ ${command.join(' ')}\n`);
  const child = spawn(program, rest, {
    stdio: ['ignore', log, log],
    env: { ...process.env, ...options.environment },
    cwd: options.folder,
    timeout: timeoutMs,
  });
  closeSync(log);
  const takeBack = options.cleanup.add(() => child.kill('SIGTERM'));
  const code = await new Promise<number | string | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode, signal) => resolve(exitCode ?? signal));
  }).finally(takeBack);
  if (code !== 0) {
    const tail = readFileSync(options.log, 'utf8').trimEnd().split('\n').slice(-tailLines);
    throw new Error(`${program} ended with ${code} (${options.log}):\n${tail.join('\n')}`);
  }
}
