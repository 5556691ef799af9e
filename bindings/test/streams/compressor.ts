// What a stream can be made with: a real compressor with its parameters.

import { existsSync } from 'node:fs';
import { findProgram, runProgram } from './program.ts';

/**
 * Which code makes the stream's tokens: Go's encoder up to 1.26; klauspost's, also Go's from 1.27;
 * klauspost's in pgzip's blocks; zlib's, also of GNU gzip, pigz, Java and Python; the fork of zlib
 * that Node has; libzstd's streaming interface; others.
 */
export type Family = 'go' | 'klauspost' | 'pgzip' | 'zlib' | 'chromium' | 'zstd' | 'other';

/**
 * How a core is expected to keep a stream exactly: `model` by a model's predictions with few
 * corrections, or by libzstd; `raw` at least by keeping compressed bits, a zstd stream perhaps not at all.
 */
export type Expected = 'model' | 'raw';

export interface Compressor {
  /** Unique, and fit for a file name: program and version, level, other parameters. */
  readonly name: string;
  readonly family: Family;
  readonly expected: Expected;
  readonly format: 'gzip' | 'zstd';
  /** Takes a second and more for a megabyte: for tiny layers only. */
  readonly isSlow: boolean;
  /** Bytes after the last member that are no padding of zeros; without it none. */
  readonly trailingLength?: number;
  /** Whether the programs that it needs are there. */
  isAvailable(): boolean;
  /** Writes the bytes of the file `source` as a stream into the file `target`. */
  compress(source: string, target: string): Promise<void>;
}

interface CommandOptions {
  readonly name: string;
  readonly family: Family;
  /** Reads standard input, writes standard output. */
  readonly command: readonly [string, ...string[]];
  readonly expected?: Expected;
  readonly format?: 'gzip' | 'zstd';
  readonly isSlow?: boolean;
  /** A further file that must be there. */
  readonly needs?: string;
}

/** A compressor that is a program from standard input to standard output. */
export function fromCommand(options: CommandOptions): Compressor {
  const { name, family, command, needs } = options;
  const [program] = command;
  const isThere = (): boolean =>
    program.startsWith('/') ? existsSync(program) : findProgram(program) !== undefined;
  return {
    name,
    family,
    expected: options.expected ?? 'model',
    format: options.format ?? 'gzip',
    isSlow: options.isSlow ?? false,
    isAvailable: () => isThere() && (needs === undefined || existsSync(needs)),
    compress: async (source, target) => {
      await runProgram(command, { input: source, output: target });
    },
  };
}
