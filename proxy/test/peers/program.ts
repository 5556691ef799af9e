// Programs that tests start: what they print is kept, and each is ended by its own id.

import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { GO_PROGRAMS } from './catalogue.ts';

/** The project's root folder, seen from `proxy/dist/test/peers`. */
export const PROJECT_FOLDER: string = fileURLToPath(new URL('../../../../', import.meta.url));

/** What the installer fills and tests reuse; git ignores it. */
export const CACHE_FOLDER: string = join(PROJECT_FOLDER, '.cache');

/** Where programs built from Go modules are; `MICA_INSTALL_PEERS` names another folder. */
export const PEERS_FOLDER: string =
  process.env['MICA_INSTALL_PEERS'] ?? join(CACHE_FOLDER, 'peers');

/** Debian keeps mkfs, losetup and dockerd outside an ordinary user's PATH. */
const SYSTEM_FOLDERS: readonly string[] = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/** Bytes of output kept of each stream: enough for a whole log of one test. */
const MAX_OUTPUT_LENGTH = 64 * 1024 * 1024;

export interface ProgramOptions {
  readonly environment?: Readonly<Record<string, string>>;
  readonly folder?: string;
  readonly input?: string;
}

export interface RunOptions extends ProgramOptions {
  readonly timeoutMs?: number;
}

export interface RunResult {
  /** Exit code; 128 and the signal's number are not told apart from it: -1 when a signal ended it. */
  readonly code: number;
  readonly output: string;
  readonly errors: string;
}

export class ProgramError extends Error {
  override readonly name = 'ProgramError';
  readonly result: RunResult;

  constructor(command: readonly string[], result: RunResult) {
    super(`${command.join(' ')}: exit ${result.code}\n${result.errors}\n${result.output}`);
    this.result = result;
  }
}

/** Path of a program, undefined when it is not there: pinned ones in the peers folder, others in PATH. */
export function findProgram(name: string): string | undefined {
  const path = (process.env['PATH'] ?? '').split(delimiter);
  return (GO_PROGRAMS.has(name) ? [PEERS_FOLDER] : [...path, ...SYSTEM_FOLDERS])
    .map((folder) => join(folder, name))
    .find((file) => isExecutable(file));
}

/** Path of a program that must be there. */
export function getProgram(name: string): string {
  const file = findProgram(name);
  if (file === undefined) throw new Error(`${name} is not installed`);
  return file;
}

export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

function isExecutable(file: string): boolean {
  if (!existsSync(file)) return false;
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    // Not for this user: the same as absent.
    return false;
  }
}

/** A program that runs beside the test. */
export class Program {
  readonly command: readonly string[];
  readonly #child: ChildProcess;
  readonly #exited: Promise<number>;
  #isRunning = true;
  #output = '';
  #errors = '';
  #listeners: (() => void)[] = [];

  private constructor(command: readonly string[], options: ProgramOptions) {
    this.command = command;
    const [file, ...args] = boundToThisProcess(command);
    if (file === undefined) throw new Error('no command');
    this.#child = spawn(file, args, {
      cwd: options.folder,
      env: { ...process.env, ...options.environment },
      stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    });
    this.#child.stdin?.end(options.input);
    this.#collect();
    this.#exited = new Promise((resolve, reject) => {
      this.#child.once('error', reject);
      this.#child.once('close', (code) => {
        this.#isRunning = false;
        this.#notify();
        resolve(code ?? -1);
      });
    });
    // A test may end without waiting for the exit.
    this.#exited.catch(() => undefined);
  }

  static start(command: readonly string[], options: ProgramOptions = {}): Program {
    return new Program(command, options);
  }

  #collect(): void {
    this.#child.stdout?.setEncoding('utf8');
    this.#child.stderr?.setEncoding('utf8');
    this.#child.stdout?.on('data', (text: string) => {
      if (this.#output.length < MAX_OUTPUT_LENGTH) this.#output += text;
      this.#notify();
    });
    this.#child.stderr?.on('data', (text: string) => {
      if (this.#errors.length < MAX_OUTPUT_LENGTH) this.#errors += text;
      this.#notify();
    });
  }

  #notify(): void {
    for (const listener of this.#listeners) listener();
  }

  get pid(): number {
    const { pid } = this.#child;
    if (pid === undefined) throw new Error(`${this.command.join(' ')} did not start`);
    return pid;
  }

  get isRunning(): boolean {
    return this.#isRunning;
  }

  get output(): string {
    return this.#output;
  }

  get errors(): string {
    return this.#errors;
  }

  get exited(): Promise<number> {
    return this.#exited;
  }

  /** Waits until the program has printed something that matches. */
  async untilPrinted(pattern: RegExp, timeoutMs = 60_000): Promise<RegExpExecArray> {
    const found = (): RegExpExecArray | null =>
      pattern.exec(this.#output) ?? pattern.exec(this.#errors);
    return await new Promise((resolve, reject) => {
      const end = (): void => {
        clearTimeout(timer);
        this.#listeners = this.#listeners.filter((other) => other !== check);
      };
      const check = (): void => {
        const match = found();
        if (match === null && this.#isRunning) return;
        end();
        if (match === null) reject(this.#failure(`ended before it printed ${pattern}`));
        else resolve(match);
      };
      const timer = setTimeout(() => {
        end();
        reject(this.#failure(`did not print ${pattern} in ${timeoutMs} ms`));
      }, timeoutMs);
      this.#listeners.push(check);
      check();
    });
  }

  #failure(what: string): Error {
    return new Error(`${this.command.join(' ')} ${what}\n${this.#errors}\n${this.#output}`);
  }

  kill(signal: NodeJS.Signals): void {
    // Does nothing once the program has ended.
    this.#child.kill(signal);
  }

  /** Ends the program and waits for it; by force after `graceMs`. */
  async stop(graceMs = 20_000): Promise<number> {
    this.kill('SIGTERM');
    const timer = setTimeout(() => this.kill('SIGKILL'), graceMs);
    try {
      return await this.#exited;
    } finally {
      clearTimeout(timer);
    }
  }

  async end(): Promise<RunResult> {
    const code = await this.#exited;
    return { code, output: this.#output, errors: this.#errors };
  }
}

/** Makes the kernel end the program when the test that started it is gone (util-linux's setpriv). */
function boundToThisProcess(command: readonly string[]): readonly string[] {
  const setpriv = findProgram('setpriv');
  return setpriv === undefined ? command : [setpriv, '--pdeathsig', 'TERM', '--', ...command];
}

/** Runs a program to its end, whatever its exit code. */
export async function tryProgram(
  command: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  const program = Program.start(command, options);
  const timer = setTimeout(() => program.kill('SIGKILL'), options.timeoutMs ?? 300_000);
  try {
    return await program.end();
  } finally {
    clearTimeout(timer);
  }
}

/** Runs a program to its end and gives what it printed; rejects when its exit code is not 0. */
export async function runProgram(
  command: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const result = await tryProgram(command, options);
  if (result.code !== 0) throw new ProgramError(command, result);
  return result.output;
}

/** Asks again until the answer is yes: for programs that say in no other way that they are ready. */
export async function until(
  what: string,
  isTrue: () => Promise<boolean>,
  timeoutMs = 60_000,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await isTrue())) {
    if (Date.now() > deadline) throw new Error(`${what}: not within ${timeoutMs} ms`);
    await delay(50);
  }
}
