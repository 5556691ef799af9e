// What the file system's errors say, by their POSIX code.

/** Whether an error carries the code, such as `ENOENT`. */
export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
