// A configuration value that is not what its key takes.

export type ValueErrorCode =
  | 'invalid-address'
  | 'invalid-duration'
  | 'invalid-quota'
  | 'invalid-size'
  | 'invalid-url';

/** Longest part of a value that a message repeats, in characters: more would hide the message. */
const MAX_QUOTED = 100;

/** `//user:password@` in anything that looks like a URL. */
const USER_INFO = /\/\/[^/\s"']*@/g;

export class ValueError extends Error {
  override readonly name = 'ValueError';
  readonly code: ValueErrorCode;
  readonly got: unknown;
  /** What to write instead. */
  readonly hint: string;

  /** `complaint` follows the quoted value: `is not a duration`. */
  constructor(code: ValueErrorCode, got: unknown, complaint: string, hint: string) {
    super(`${quoteValue(got)} ${complaint}`);
    this.code = code;
    this.got = got;
    this.hint = hint;
  }
}

/** A value as a message shows it: quoted, not too long, without the user part of a URL. */
export function quoteValue(value: unknown): string {
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'a list' : 'a map';
  const text = (JSON.stringify(value) ?? String(value)).replaceAll(USER_INFO, '//***@');
  return text.length <= MAX_QUOTED ? text : `${text.slice(0, MAX_QUOTED)}…`;
}
