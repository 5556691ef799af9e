// Runs programs from file to file.

import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

/** Debian keeps some programs outside an ordinary user's PATH. */
const SYSTEM_FOLDERS: readonly string[] = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

const DEFAULT_TIMEOUT_MS = 15 * 60_000;

export interface RunOptions {
  /** File for standard input; without it there is none. */
  readonly input?: string;
  /** File for standard output; without it the output is given as text. */
  readonly output?: string;
  readonly folder?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}

/** Path of a program, undefined when it is not there. */
export function findProgram(name: string): string | undefined {
  return [...(process.env['PATH'] ?? '').split(delimiter), ...SYSTEM_FOLDERS]
    .map((folder) => join(folder, name))
    .find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    // Absent, or not for this user.
    return false;
  }
}

/** Runs a program to its end and gives what it printed; rejects when its exit code is not 0. */
export async function runProgram(
  command: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const files: FileHandle[] = [];
  const openFile = async (path: string, flags: string): Promise<number> => {
    const file = await open(path, flags);
    files.push(file);
    return file.fd;
  };
  try {
    const input = options.input === undefined ? 'ignore' : await openFile(options.input, 'r');
    const output = options.output === undefined ? 'pipe' : await openFile(options.output, 'w');
    return await untilExit(command, options, input, output);
  } finally {
    for (const file of files) await file.close();
  }
}

async function untilExit(
  command: readonly string[],
  options: RunOptions,
  input: 'ignore' | number,
  output: 'pipe' | number,
): Promise<string> {
  const [file, ...args] = command;
  if (file === undefined) throw new Error('no command');
  const child = spawn(file, args, {
    cwd: options.folder,
    env: { ...process.env, ...options.environment },
    stdio: [input, output, 'pipe'],
    timeout: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
    killSignal: 'SIGKILL',
  });
  let printed = '';
  let errors = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    printed += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) throw new Error(`${command.join(' ')}: exit ${code}\n${errors}\n${printed}`);
  return printed;
}
