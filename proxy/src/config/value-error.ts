// A configuration value that is not what its key takes.

export type ValueErrorCode =
  | 'invalid-address'
  | 'invalid-count'
  | 'invalid-duration'
  | 'invalid-quota'
  | 'invalid-size'
  | 'invalid-url'
  | 'unsupported-url';

/** Longest part of a value that a message repeats, in characters: more would hide the message. */
const MAX_QUOTED = 100;

/** `//user:password@`, up to the last `@`: a password may hold a slash that ends a URL's user part. */
const USER_INFO = /\/\/.*@/gs;
/** The query of a URL, where object stores and CDNs keep their keys. */
const QUERY = /(:\/\/[^?"]*\?)[^"]+/g;

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

/** A value as a message shows it: quoted, not too long, without a URL's user part and query. */
export function quoteValue(value: unknown): string {
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'a list' : 'a map';
  const quoted = JSON.stringify(value) ?? String(value);
  const text = quoted.replaceAll(USER_INFO, '//***@').replaceAll(QUERY, '$1***');
  return text.length <= MAX_QUOTED ? text : `${text.slice(0, MAX_QUOTED)}…`;
}
