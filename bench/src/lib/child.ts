// A program run beside the benchmark: its output goes to log files, it can be waited for, and it
// never outlives the benchmark.
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Cleanup } from './cleanup.ts';
import { processTree } from './memory.ts';

export interface ChildOptions {
  readonly name: string;
  readonly command: readonly string[];
  /** Where `<name>.out.log` and `<name>.err.log` go. */
  readonly folder: string;
  readonly cleanup: Cleanup;
  readonly environment?: Readonly<Record<string, string>>;
  /** Network namespace to run in; needs root. */
  readonly namespace?: string;
  /** `pipe` keeps standard input open until the benchmark itself ends. */
  readonly input?: 'ignore' | 'pipe';
}

export interface Child {
  readonly name: string;
  readonly pid: number;
  readonly outLog: string;
  readonly errLog: string;
  /** The first value that `match` finds in a line of output; fails when the child ends or time is up. */
  readonly waitForLine: <T>(match: (line: string) => T | undefined) => Promise<T>;
  /** Polls `ready` until it holds; fails when the child ends or time is up. */
  readonly waitUntil: (ready: () => boolean) => Promise<void>;
  readonly stop: () => Promise<void>;
}

// Far above any server's start on a loaded machine.
const startTimeoutMs = 30_000;
const pollMs = 20;
const termTimeoutMs = 10_000;
const tailLines = 15;

export class ChildError extends Error {
  readonly code = 'CHILD_FAILED';
}

export function inNamespace(
  command: readonly string[],
  namespace: string | undefined,
): readonly string[] {
  return namespace === undefined ? command : ['ip', 'netns', 'exec', namespace, ...command];
}

export function startChild(options: ChildOptions): Child {
  const outLog = join(options.folder, `${options.name}.out.log`);
  const errLog = join(options.folder, `${options.name}.err.log`);
  const [program = '', ...rest] = inNamespace(options.command, options.namespace);
  // A server that is started again in its folder must not be taken for ready by its old lines.
  const out = openSync(outLog, 'w');
  const err = openSync(errLog, 'w');
  const child = spawn(program, rest, {
    stdio: [options.input ?? 'ignore', out, err],
    env: { ...process.env, ...options.environment },
  });
  closeSync(out);
  closeSync(err);
  const pid = child.pid;
  const failure: { cause?: Error } = {};
  child.on('error', (error) => {
    failure.cause = error;
  });
  if (pid === undefined) {
    throw new ChildError(`${options.name}: ${program} cannot be started`);
  }
  const takeBack = options.cleanup.add(() => killTree(pid));
  child.on('exit', takeBack);
  const fail = (why: string): ChildError =>
    new ChildError(`${options.name}: ${why}\n${tail(outLog)}\n${tail(errLog)}`, failure);
  const poll = async <T>(look: () => T | undefined): Promise<T> => {
    const deadline = performance.now() + startTimeoutMs;
    for (;;) {
      const found = look();
      if (found !== undefined) {
        return found;
      }
      if (hasEnded(child)) {
        throw fail(`ended before it was ready (${child.exitCode ?? child.signalCode})`);
      }
      if (performance.now() > deadline) {
        throw fail('not ready in time');
      }
      await wait(pollMs);
    }
  };
  return {
    name: options.name,
    pid,
    outLog,
    errLog,
    waitForLine: (match) => poll(() => findLine([outLog, errLog], match)),
    waitUntil: async (ready) => {
      await poll(() => (ready() ? true : undefined));
    },
    stop: () => stopChild(child),
  };
}

/** Ends `pid` and what it started, such as the workers of nginx, last one first. */
function killTree(pid: number): void {
  for (const member of processTree(pid).toReversed()) {
    process.kill(member, 'SIGKILL');
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) {
    return;
  }
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
  });
  child.kill('SIGTERM');
  const force = setTimeout(() => child.kill('SIGKILL'), termTimeoutMs);
  await ended;
  clearTimeout(force);
}

function findLine<T>(
  files: readonly string[],
  match: (line: string) => T | undefined,
): T | undefined {
  for (const line of files.flatMap((file) => readFileSync(file, 'utf8').split('\n'))) {
    const found = match(line);
    if (found !== undefined) {
      return found;
    }
  }
  return undefined;
}

function tail(file: string): string {
  return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-tailLines).join('\n');
}

/** Runs a program to its end and returns its standard output; fails on any other exit code than 0. */
export async function runChild(options: Omit<ChildOptions, 'folder' | 'input'>): Promise<string> {
  const [program = '', ...rest] = inNamespace(options.command, options.namespace);
  const child = spawn(program, rest, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...options.environment },
  });
  const takeBack = options.cleanup.add(() => child.kill('SIGKILL'));
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  const code = await new Promise<number | string | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode, signal) => resolve(exitCode ?? signal));
  });
  takeBack();
  if (code !== 0) {
    throw new ChildError(
      `${options.name}: ended with ${code}\n${Buffer.concat(err).toString('utf8').trimEnd()}`,
    );
  }
  return Buffer.concat(out).toString('utf8');
}
