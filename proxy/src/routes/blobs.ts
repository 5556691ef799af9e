// Blobs, whole or in ranges.

import { distributionHeaders } from '../middleware/distribution-headers.ts';
import { type ByteRange, parseByteRange } from '../oci/byte-range.ts';
import { OciError } from '../oci/error.ts';
import type { BlobAnswer } from '../pull/mirror.ts';
import { clientHas, entityTag, rangeApplies } from './conditional.ts';
import { multipartBody } from './multipart-body.ts';
import type { BlobRequest } from './parse-path.ts';
import { type Asked, noteCache, type RouteParts } from './route-parts.ts';
import type { BodyPart } from './send-body.ts';

/** What a blob's bytes are is the manifest's business; nothing here looks at them. */
const BLOB_TYPE = 'application/octet-stream';

type Headers = Record<string, string>;

export async function answerBlob(
  parts: RouteParts,
  request: BlobRequest,
  asked: Asked,
): Promise<Response> {
  const isKnown = clientHas(asked.c.req.header('if-none-match'), request.digest);
  if (asked.c.req.method === 'HEAD' || isKnown) {
    return await answerHead(parts, request, asked, isKnown);
  }
  const blob = await parts.mirror.pullBlob(request.repository, request.digest, asked.viewer);
  parts.pulls?.blobPulled(request.repository, request.digest, asked.client);
  noteCache(asked.c, blob.cache);
  return await sendBlob(parts, request, asked, blob);
}

function blobHeaders(request: BlobRequest): Headers {
  return {
    ...distributionHeaders(request),
    'Docker-Content-Digest': request.digest,
    ETag: entityTag(request.digest),
    'Accept-Ranges': 'bytes',
    'Content-Type': BLOB_TYPE,
  };
}

async function answerHead(
  parts: RouteParts,
  request: BlobRequest,
  { c, viewer }: Asked,
  isKnown: boolean,
): Promise<Response> {
  const { size, cache } = await parts.mirror.statBlob(request.repository, request.digest, viewer);
  noteCache(c, cache);
  const headers = blobHeaders(request);
  if (isKnown) return new Response(null, { status: 304, headers });
  headers['Content-Length'] = String(size);
  return new Response(null, { headers });
}

interface Head {
  readonly status: 200 | 206;
  readonly headers: Headers;
}

async function sendBlob(
  parts: RouteParts,
  request: BlobRequest,
  { c }: Asked,
  { source }: BlobAnswer,
): Promise<Response> {
  const applies = rangeApplies(c.req.header('if-range'), request.digest);
  const range = parseByteRange(applies ? c.req.header('range') : undefined, source.size);
  if (range.kind === 'unsatisfiable') {
    source.close();
    throw new OciError('SIZE_INVALID', 416, 'no byte of the range exists', {
      headers: { 'Content-Range': `bytes */${source.size}` },
    });
  }
  const answer = range.kind === 'whole' ? whole(source.size) : ranged(range.ranges, source.size);
  const headers = { ...blobHeaders(request), ...answer.head.headers };
  headers['Content-Length'] = String(answer.length);
  const record = c.get('record');
  record.streamedStatus = answer.head.status;
  return await parts.sendBody(
    c,
    { status: answer.head.status, headers },
    { source, parts: answer.parts, length: answer.length },
    (sent) => record.end(sent),
  );
}

interface RangeAnswer {
  readonly head: Head;
  readonly parts: readonly BodyPart[];
  readonly length: number;
}

function whole(size: number): RangeAnswer {
  const parts: readonly BodyPart[] = [{ kind: 'slice', start: 0, end: size }];
  return { head: { status: 200, headers: {} }, parts, length: size };
}

function ranged(ranges: readonly [ByteRange, ...ByteRange[]], size: number): RangeAnswer {
  const [{ start, end }] = ranges;
  if (ranges.length === 1) {
    return {
      head: { status: 206, headers: { 'Content-Range': `bytes ${start}-${end - 1}/${size}` } },
      parts: [{ kind: 'slice', start, end }],
      length: end - start,
    };
  }
  const multipart = multipartBody(ranges, size, BLOB_TYPE, crypto.randomUUID());
  const headers = { 'Content-Type': multipart.contentType };
  return { head: { status: 206, headers }, parts: multipart.parts, length: multipart.length };
}
