// What could not be done with a file, told as the addon tells it.

import type { CoreError, FileReference } from './core.ts';

interface FileErrorDetails {
  readonly action: 'close' | 'create' | 'open' | 'read' | 'stat' | 'sync' | 'write';
  readonly file: FileReference;
  readonly offset?: number;
}

/** A file could not be opened, read or written. The code is the system's, such as `ENOENT`. */
export class CoreFileError extends Error implements CoreError {
  readonly code: string;
  declare readonly offset?: number;

  constructor({ action, file, offset }: FileErrorDetails, cause: unknown) {
    const name = typeof file === 'number' ? `descriptor ${file}` : file;
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(`cannot ${action} ${name}: ${reason}`, { cause });
    this.code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'EIO';
    if (offset !== undefined) this.offset = offset;
  }
}

/** A file has another size than it should have. */
export class CoreFileSizeError extends Error implements CoreError {
  readonly code = 'FILE_SIZE';
  readonly got: number;
  readonly expected: number;

  constructor(got: number, expected: number) {
    super(`the file has ${got} bytes, expected ${expected}`);
    this.got = got;
    this.expected = expected;
  }
}
