// Which bytes of a blob a Range header asks for.
// Source: https://www.rfc-editor.org/rfc/rfc9110#section-14

/** A range inside a body; `end` is exclusive and greater than `start`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** `whole`: no usable Range, answer 200; `unsatisfiable`: answer 416. */
export type RangeRequest =
  | { readonly kind: 'whole' }
  | { readonly kind: 'unsatisfiable' }
  | { readonly kind: 'ranges'; readonly ranges: readonly [ByteRange, ...ByteRange[]] };

/** Most ranges of one request; more are ignored, as §14.2 permits. Readers of zstd:chunked layers ask
 * for at most this many: https://github.com/containers/storage/blob/main/pkg/chunked/storage_linux.go */
export const MAX_RANGES: number = 1024;

const WHOLE: RangeRequest = { kind: 'whole' };
const SET = /^bytes[ \t]*=(.*)$/is;
const SPEC = /^(?:(\d+)-(\d*)|-(\d+))$/;

/**
 * Parses a Range header for a body of `size` bytes. Malformed headers and other units are ignored
 * (§14.2). Ranges that overlap are joined, so that no byte is sent twice; others keep their order.
 */
export function parseByteRange(header: string | undefined, size: number): RangeRequest {
  const set = header === undefined ? null : SET.exec(header.trim());
  if (set?.[1] === undefined) return WHOLE;
  // Empty list elements are allowed: https://www.rfc-editor.org/rfc/rfc9110#section-5.6.1.2
  const specs = set[1]
    .split(',')
    .map((spec) => spec.trim())
    .filter((spec) => spec !== '');
  if (specs.length === 0 || specs.length > MAX_RANGES) return WHOLE;
  const ranges: ByteRange[] = [];
  for (const spec of specs) {
    const range = parseSpec(spec, size);
    if (range === 'malformed') return WHOLE;
    if (range !== undefined) ranges.push(range);
  }
  const [first, ...others] = joinOverlapping(ranges);
  if (first !== undefined) return { kind: 'ranges', ranges: [first, ...others] };
  // A suffix of nothing is everything there is, and no Content-Range could say so.
  const isSuffixOfNothing = size === 0 && specs.some((spec) => /^-0*[1-9]/.test(spec));
  return isSuffixOfNothing ? WHOLE : { kind: 'unsatisfiable' };
}

/** One range, undefined when no byte of it exists. */
function parseSpec(spec: string, size: number): ByteRange | 'malformed' | undefined {
  const match = SPEC.exec(spec);
  if (match === null) return 'malformed';
  const [, first, last, suffix] = match;
  if (suffix !== undefined) {
    const start = Math.max(0, size - Number(suffix));
    return start < size ? { start, end: size } : undefined;
  }
  const start = Number(first);
  const end = last === undefined || last === '' ? size : Math.min(size, Number(last) + 1);
  if (last !== undefined && last !== '' && Number(last) < start) return 'malformed';
  return start < size ? { start, end } : undefined;
}

function joinOverlapping(ranges: readonly ByteRange[]): readonly ByteRange[] {
  const sorted = ranges.toSorted((one, other) => one.start - other.start);
  const joined: ByteRange[] = [];
  for (const range of sorted) {
    const before = joined.at(-1);
    if (before === undefined || before.end <= range.start) joined.push(range);
    else joined[joined.length - 1] = { ...before, end: Math.max(before.end, range.end) };
  }
  return joined.length === ranges.length ? ranges : joined;
}
