// The Content-Range header: which part of a whole a 206 brings.
// Source: https://www.rfc-editor.org/rfc/rfc9110#section-14.4

export interface ContentRange {
  readonly start: number;
  /** Position after the last byte. */
  readonly end: number;
  /** Size of the whole, undefined for `*`. */
  readonly size: number | undefined;
}

const SHAPE = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/i;

/** Parses `bytes 0-9/100`; undefined when it is malformed or contradicts itself. */
export function parseContentRange(value: string | undefined): ContentRange | undefined {
  const match = SHAPE.exec(value?.trim() ?? '');
  if (match === null) return undefined;
  const start = Number(match[1]);
  const end = Number(match[2]) + 1;
  const size = match[3] === '*' ? undefined : Number(match[3]);
  if (end <= start || (size !== undefined && end > size)) return undefined;
  return { start, end, size };
}
