// Runs other programs, such as credential helpers, without a shell.

import { execFile } from 'node:child_process';
import type { Processes } from '../../runtime/runtime.ts';

/** Longest run of a program, in milliseconds: a helper that asks a person on a terminal never answers. */
const TIMEOUT_MS = 30_000;

/** Most that a program may print, in bytes: a helper's answer is a line of JSON. */
const MAX_OUTPUT = 1024 * 1024;

/** A program that could not be run or failed. Its output is not kept: it may hold a secret. */
export class ProcessError extends Error {
  override readonly name = 'ProcessError';
  readonly code: 'PROCESS_NOT_FOUND' | 'PROCESS_TIMED_OUT' | 'PROCESS_FAILED';
  readonly command: string;
  readonly exitCode: number | undefined;

  constructor(command: string, failure: ProcessFailure) {
    super(`${command}: ${describe(failure)}`);
    this.command = command;
    this.code = codeOf(failure);
    this.exitCode = typeof failure.code === 'number' ? failure.code : undefined;
  }
}

/** What execFile says of a failed program. */
interface ProcessFailure {
  readonly code?: string | number | null | undefined;
  readonly killed?: boolean | undefined;
  readonly signal?: string | null | undefined;
}

function codeOf(failure: ProcessFailure): ProcessError['code'] {
  if (failure.code === 'ENOENT') return 'PROCESS_NOT_FOUND';
  return failure.killed === true ? 'PROCESS_TIMED_OUT' : 'PROCESS_FAILED';
}

function describe(failure: ProcessFailure): string {
  if (failure.code === 'ENOENT') return 'no such program';
  if (failure.killed === true) return 'ended because it ran too long or printed too much';
  if (typeof failure.signal === 'string') return `ended by ${failure.signal}`;
  return `failed with ${failure.code ?? 'an unknown error'}`;
}

export const nodeProcesses: Processes = {
  run: (command, args, input) =>
    new Promise((resolve, reject) => {
      const options = { timeout: TIMEOUT_MS, maxBuffer: MAX_OUTPUT, encoding: 'utf8' } as const;
      const child = execFile(command, [...args], options, (error, output) => {
        if (error === null) resolve(output);
        else reject(new ProcessError(command, error));
      });
      // A program that ends without reading its input is judged by its exit code, not by EPIPE.
      child.stdin?.on('error', () => undefined);
      child.stdin?.end(input);
    }),
};
