// Starts the real server as a process of its own, on the runtime that MICA_TEST_RUNTIME names.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { findProgram } from './peers/program.ts';

export interface MicaOptions {
  /** The `upstreams` part of the configuration. */
  readonly upstreams: Readonly<Record<string, unknown>>;
  /** Further parts of the configuration; they win over the ones set here. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Data folder that outlives the server; a folder of its own, removed by stop(), when absent. */
  readonly data?: string;
}

/** One line of the server's log. */
export type LogLine = Readonly<Record<string, unknown>>;

export interface MicaUnderTest {
  /** Base URL of the public port. */
  readonly url: string;
  /** Base URL of the admin port. */
  readonly admin: string;
  readonly data: string;
  readonly pid: number;
  /** Everything logged until now. */
  log(): readonly LogLine[];
  /** Drops the log until now, for runs with many requests. */
  forgetLog(): void;
  /** What was printed besides the log. */
  output(): string;
  /** Resolves with the first log line, past or to come, that satisfies the condition. */
  waitForLog(condition: (line: LogLine) => boolean): Promise<LogLine>;
  signal(name: NodeJS.Signals): void;
  /** Resolves with the exit code, null when a signal ended it. */
  readonly exited: Promise<number | null>;
  /** Ends it by SIGTERM. Rejects when it had crashed or did not end in time. */
  stop(): Promise<void>;
  /** Ends it by SIGKILL; the data folder stays when it was given. */
  kill(): Promise<void>;
}

/** How long a start may take on a machine that runs other tests, milliseconds. */
const START_LIMIT_MS = 60_000;
/** How long a stop may take with nothing in flight, milliseconds. */
const STOP_LIMIT_MS = 20_000;

function dist(path: string): string {
  return fileURLToPath(new URL(`../src/${path}`, import.meta.url));
}

function dependency(path: string): string {
  return fileURLToPath(new URL(`../../../node_modules/${path}`, import.meta.url));
}

export type RuntimeName = 'node' | 'node-lts' | 'deno';

export function runtimeUnderTest(): RuntimeName {
  const name = process.env['MICA_TEST_RUNTIME'] ?? 'node';
  if (name === 'node' || name === 'node-lts' || name === 'deno') return name;
  throw new Error(`MICA_TEST_RUNTIME is node, node-lts or deno, not ${name}`);
}

/** The command and arguments that run Mica on a runtime. */
function commandOf(runtime: RuntimeName): readonly [string, ...string[]] {
  switch (runtime) {
    case 'node':
      return [process.execPath, dist('adapter/node/main.js')];
    case 'node-lts':
      return [dependency('node/bin/node'), dist('adapter/node/main.js')];
    case 'deno':
      return [dependency('deno/deno'), 'run', '-A', '--no-prompt', dist('adapter/deno/main.js')];
  }
}

/** Makes the kernel end the server when the test that started it is gone (util-linux's setpriv). */
function boundToThisProcess(): readonly string[] {
  const setpriv = findProgram('setpriv');
  return setpriv === undefined ? [] : [setpriv, '--pdeathsig', 'TERM', '--'];
}

/** The environment without anything that would configure the server behind the test's back. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const entries = Object.entries(process.env).filter(
    ([name]) => !name.startsWith('MICA_') && !/^(https?|no|all)_proxy$/i.test(name),
  );
  return { ...Object.fromEntries(entries), NO_COLOR: '1' };
}

class MicaProcess implements MicaUnderTest {
  readonly data: string;
  readonly exited: Promise<number | null>;
  url = '';
  admin = '';
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #lines: LogLine[] = [];
  readonly #waiters = new Set<() => void>();
  #output = '';
  #exit: { readonly code: number | null } | undefined;

  constructor(command: readonly [string, ...string[]], folder: string, data: string) {
    const [program = '', ...args] = [...boundToThisProcess(), ...command];
    this.data = data;
    this.#folder = folder;
    this.#child = spawn(program, [...args, 'serve', '--config', join(folder, 'mica.yaml')], {
      cwd: folder,
      env: cleanEnvironment(),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.exited = once(this.#child, 'close').then(([code]) => {
      this.#exit = { code };
      this.#wake();
      return code;
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      if (stream !== null) createInterface({ input: stream }).on('line', (line) => this.#add(line));
    }
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  log(): readonly LogLine[] {
    return this.#lines;
  }

  forgetLog(): void {
    this.#lines.length = 0;
  }

  output(): string {
    return this.#output;
  }

  async waitForLog(condition: (line: LogLine) => boolean): Promise<LogLine> {
    for (;;) {
      const found = this.#lines.find(condition);
      if (found !== undefined) return found;
      if (this.#exit !== undefined)
        throw new Error(`Mica has ended:\n${this.#output}${this.#tail()}`);
      await new Promise<void>((resolve) => this.#waiters.add(resolve));
    }
  }

  async ready(): Promise<void> {
    const limit = setTimeout(() => this.#child.kill('SIGKILL'), START_LIMIT_MS);
    const line = await this.waitForLog(({ msg }) => msg === 'listening').finally(() =>
      clearTimeout(limit),
    );
    this.url = String(line['listen']);
    this.admin = String(line['admin']);
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  async stop(): Promise<void> {
    const crash = this.#exit;
    const limit = setTimeout(() => this.#child.kill('SIGKILL'), STOP_LIMIT_MS);
    this.#child.kill('SIGTERM');
    const code = await this.exited;
    clearTimeout(limit);
    await rm(this.#folder, { recursive: true, force: true });
    if (crash !== undefined || code !== 0)
      throw new Error(`Mica ended with ${code}:\n${this.#output}${this.#tail()}`);
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.exited;
    await rm(this.#folder, { recursive: true, force: true });
  }

  #add(line: string): void {
    const parsed = parseLogLine(line);
    if (parsed === undefined) this.#output += `${line}\n`;
    else this.#lines.push(parsed);
    this.#wake();
  }

  #wake(): void {
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    for (const wake of waiters) wake();
  }

  /** The end of the log, for messages. */
  #tail(): string {
    return this.#lines
      .slice(-20)
      .map((line) => JSON.stringify(line))
      .join('\n');
  }
}

function parseLogLine(line: string): LogLine | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    // Not a log line; it is kept as output.
    return undefined;
  }
}

/** Starts Mica and resolves once it listens. */
export async function startMica(options: MicaOptions): Promise<MicaUnderTest> {
  const folder = await mkdtemp(join(tmpdir(), 'mica-test-'));
  const data = options.data ?? join(folder, 'data');
  const config = {
    listen: '127.0.0.1:0',
    admin: '127.0.0.1:0',
    data,
    // Free space of the machine is none of these tests' business.
    quota: '10GiB',
    log: { level: 'info', format: 'json' },
    defaultUpstream: Object.keys(options.upstreams)[0],
    upstreams: options.upstreams,
    ...options.config,
  };
  await writeFile(join(folder, 'mica.yaml'), stringify(config, { aliasDuplicateObjects: false }));
  const mica = new MicaProcess(commandOf(runtimeUnderTest()), folder, data);
  try {
    await mica.ready();
  } catch (error) {
    await mica.kill();
    throw error;
  }
  return mica;
}
