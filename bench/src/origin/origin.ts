// The upstream of a benchmark: serves one image as a registry does, and prints a line of JSON for
// every body it sent, so that the bytes that an upstream really sent can be counted.
// Run: `node origin.js '{"host":"127.0.0.1","image":{...}}'`.
import { createReadStream } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream';
import { readOptions, writeResult } from '../clients/client.ts';
import { type Content, mebibyte } from '../lib/content.ts';
import { blobPath, type Image, manifestMediaType, manifestPath, tag } from '../lib/image.ts';

export interface OriginOptions {
  readonly host: string;
  readonly image: Image;
}

/** One line of output per answered GET; `sent` is what left for the socket, bytes. */
export interface ServedLine {
  readonly path: string;
  readonly sent: number;
}

interface Entry {
  readonly content: Content;
  readonly mediaType: string;
}

function entries(image: Image): ReadonlyMap<string, Entry> {
  const manifest = { content: image.manifest, mediaType: manifestMediaType };
  const blobs = [image.config, ...image.layers].map((content): [string, Entry] => [
    blobPath(content.digest),
    { content, mediaType: 'application/octet-stream' },
  ]);
  return new Map([
    [manifestPath(tag), manifest],
    [manifestPath(image.manifest.digest), manifest],
    ...blobs,
  ]);
}

/** https://www.rfc-editor.org/rfc/rfc9110#section-14.1.2, the two forms that caches resume with. */
function parseStart(range: string | undefined): number {
  return Number(/^bytes=(\d+)-\d*$/.exec(range ?? '')?.[1] ?? 0);
}

function sendEntry(request: IncomingMessage, response: ServerResponse, entry: Entry): void {
  const { file, size, digest } = entry.content;
  const start = parseStart(request.headers.range);
  response.statusCode = start === 0 ? 200 : 206;
  response.setHeader('Content-Type', entry.mediaType);
  response.setHeader('Content-Length', size - start);
  response.setHeader('Docker-Content-Digest', digest);
  response.setHeader('ETag', `"${digest}"`);
  response.setHeader('Accept-Ranges', 'bytes');
  if (start > 0) {
    response.setHeader('Content-Range', `bytes ${start}-${size - 1}/${size}`);
  }
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  const body = createReadStream(file, { start, highWaterMark: mebibyte });
  pipeline(body, response, () => {
    writeResult({ path: request.url ?? '', sent: body.bytesRead } satisfies ServedLine);
  });
}

function answer(found: ReadonlyMap<string, Entry>) {
  return (request: IncomingMessage, response: ServerResponse): void => {
    const path = (request.url ?? '').split('?')[0] ?? '';
    const entry = found.get(path);
    response.setHeader('Docker-Distribution-Api-Version', 'registry/2.0');
    if (entry !== undefined) {
      sendEntry(request, response, entry);
      return;
    }
    response.statusCode = path === '/v2/' ? 200 : 404;
    response.setHeader('Content-Type', 'application/json');
    response.end(
      path === '/v2/' ? '{}' : '{"errors":[{"code":"NAME_UNKNOWN","message":"not here"}]}',
    );
  };
}

const { host, image } = readOptions<OriginOptions>();
const server = createServer(answer(entries(image)));
server.listen(0, host, () => {
  const { port } = server.address() as AddressInfo;
  writeResult({ listen: `http://${host}:${port}` });
});
process.on('SIGTERM', () => process.exit(0));
