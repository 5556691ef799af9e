// Manifests by tag and by digest, with bytes and media type as received.

import { distributionHeaders } from '../middleware/distribution-headers.ts';
import { clientHas, entityTag } from './conditional.ts';
import type { ManifestRequest } from './parse-path.ts';
import { type Asked, noteCache, type RouteParts } from './route-parts.ts';

export async function answerManifest(
  parts: RouteParts,
  request: ManifestRequest,
  { c, viewer, client }: Asked,
): Promise<Response> {
  const manifest = await parts.mirror.pullManifest(request.repository, request.reference, viewer);
  noteCache(c, manifest.cache);
  c.get('record').digest = manifest.digest;
  const headers = distributionHeaders(request, manifest.cache);
  headers['Docker-Content-Digest'] = manifest.digest;
  headers['ETag'] = entityTag(manifest.digest);
  if (clientHas(c.req.header('if-none-match'), manifest.digest)) {
    return new Response(null, { status: 304, headers });
  }
  headers['Content-Type'] = manifest.mediaType;
  headers['Content-Length'] = String(manifest.bytes.length);
  c.get('record').bodySize = manifest.bytes.length;
  if (c.req.method === 'GET')
    parts.pulls?.manifestPulled(request.repository, manifest.digest, client);
  // The bytes come from a cache that shares no memory with writers.
  const body = c.req.method === 'HEAD' ? null : (manifest.bytes as Uint8Array<ArrayBuffer>);
  return new Response(body, { headers });
}
