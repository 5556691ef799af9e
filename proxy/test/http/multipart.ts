// Reads a multipart/byteranges body as strictly as clients do.
// Source: https://www.rfc-editor.org/rfc/rfc9110#section-14.6

export interface BodyPart {
  readonly contentType: string;
  readonly contentRange: string;
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
  readonly bytes: Buffer;
}

/** Splits the body; throws when it is not of the form. */
export function parseMultipart(contentType: string, body: Buffer): BodyPart[] {
  const boundary = /^multipart\/byteranges; ?boundary="?([^";]+)"?$/i.exec(contentType)?.[1];
  if (boundary === undefined) throw new Error(`not multipart/byteranges: ${contentType}`);
  const delimiter = `--${boundary}`;
  const parts: BodyPart[] = [];
  let position = body.indexOf(delimiter);
  for (;;) {
    if (position < 0) throw new Error('the closing delimiter is missing');
    const after = position + delimiter.length;
    if (body.toString('latin1', after, after + 2) === '--') return parts;
    const part = parsePart(body, after + 2);
    parts.push(part);
    position = body.indexOf(
      `\r\n${delimiter}`,
      body.indexOf('\r\n\r\n', after) + 4 + part.bytes.length,
    );
    if (position >= 0) position += 2;
  }
}

function parsePart(body: Buffer, start: number): BodyPart {
  const end = body.indexOf('\r\n\r\n', start);
  if (end < 0) throw new Error('a part without end of headers');
  const headers = new Map(
    body
      .toString('latin1', start, end)
      .split('\r\n')
      .map((line) => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
      }),
  );
  const contentRange = headers.get('content-range') ?? '';
  const match = /^bytes (\d+)-(\d+)\/\d+$/.exec(contentRange);
  if (match === null) throw new Error(`a part without Content-Range: ${contentRange}`);
  const [from, until] = [Number(match[1]), Number(match[2]) + 1];
  return {
    contentType: headers.get('content-type') ?? '',
    contentRange,
    start: from,
    end: until,
    bytes: body.subarray(end + 4, end + 4 + until - from),
  };
}
