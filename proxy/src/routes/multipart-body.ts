// The body of an answer with several ranges.
// Source: https://www.rfc-editor.org/rfc/rfc9110#section-14.6

import type { ByteRange } from '../oci/byte-range.ts';
import type { BodyPart } from './send-body.ts';

export interface MultipartBody {
  readonly contentType: string;
  readonly parts: readonly BodyPart[];
  /** Bytes of all parts together. */
  readonly length: number;
}

/** Lays out the ranges of a body of `size` bytes; the boundary must not occur in them. */
export function multipartBody(
  ranges: readonly ByteRange[],
  size: number,
  partType: string,
  boundary: string,
): MultipartBody {
  const encoder = new TextEncoder();
  const parts: BodyPart[] = [];
  let length = 0;
  const addText = (text: string): void => {
    const bytes = encoder.encode(text);
    parts.push({ kind: 'bytes', bytes });
    length += bytes.length;
  };
  for (const [index, { start, end }] of ranges.entries()) {
    addText(
      `${index === 0 ? '' : '\r\n'}--${boundary}\r\nContent-Type: ${partType}\r\n` +
        `Content-Range: bytes ${start}-${end - 1}/${size}\r\n\r\n`,
    );
    parts.push({ kind: 'slice', start, end });
    length += end - start;
  }
  addText(`\r\n--${boundary}--\r\n`);
  return { contentType: `multipart/byteranges; boundary=${boundary}`, parts, length };
}
