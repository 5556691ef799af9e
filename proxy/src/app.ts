// Composes the registry API from its parts; nothing happens at import.

import { type Context, Hono } from 'hono';
import type { ClientCredentials } from './access/client-credentials.ts';
import type { Viewer } from './access/credential.ts';
import type { Config } from './config/config.ts';
import type { Log } from './log.ts';
import { accessLog } from './middleware/access-log.ts';
import { authenticate, type PasswordCheck } from './middleware/authenticate.ts';
import { errorResponse } from './middleware/error-response.ts';
import type { AppEnvironment, EndedRequest } from './middleware/request-record.ts';
import { OciError } from './oci/error.ts';
import type { Mirror } from './pull/mirror.ts';
import { answerBlob } from './routes/blobs.ts';
import { upstreamNames } from './routes/choose-upstream.ts';
import { answerManifest } from './routes/manifests.ts';
import { type PullRequest, parsePath } from './routes/parse-path.ts';
import { answerReferrers } from './routes/referrers.ts';
import type { Asked, PullListener, RouteParts } from './routes/route-parts.ts';
import type { SendBody } from './routes/send-body.ts';
import { answerTags } from './routes/tags.ts';
import { answerVersion } from './routes/version.ts';

export interface AppParts {
  readonly mirror: Mirror;
  readonly config: Pick<Config, 'upstreams' | 'defaultUpstream'>;
  readonly sendBody: SendBody;
  readonly log: Log;
  /** The address a request came from, as the runtime knows it. */
  readonly clientAddress: (c: Context) => string;
  /** Where clients' own credentials are passed on. */
  readonly credentials?: ClientCredentials | undefined;
  /** Where clients have to log in to Mica; their passwords then stay here. */
  readonly passwords?: PasswordCheck | undefined;
  readonly requestEnded?: ((ended: EndedRequest) => void) | undefined;
  /** Told of what clients get. */
  readonly pulls?: PullListener | undefined;
}

const PULL_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD']);

export function createApp(parts: AppParts): Hono<AppEnvironment> {
  const app = new Hono<AppEnvironment>();
  const { upstreams } = parts.config;
  const passesThrough = (name: string): boolean =>
    parts.passwords === undefined && upstreams[name]?.passThrough === true;
  app.use(accessLog({ ...parts, now: () => performance.now() }));
  if (parts.passwords !== undefined) app.use(authenticate(parts.passwords));
  const pull = pullHandler(parts, passesThrough);
  app.all('/v2', pull);
  app.all('/v2/*', pull);
  // Not notFound(): what that throws passes the access log by.
  app.all('*', () => {
    throw new OciError('UNSUPPORTED', 404, 'no such endpoint');
  });
  app.onError(errorResponse({ log: parts.log, passesThrough }));
  return app;
}

function pullHandler(
  parts: AppParts,
  passesThrough: (upstream: string) => boolean,
): (c: Context<AppEnvironment>) => Promise<Response> {
  const names = upstreamNames(parts.config);
  return async (c) => {
    if (!PULL_METHODS.has(c.req.method)) {
      throw new OciError('UNSUPPORTED', 405, 'this is a mirror: it is only for pulling', {
        headers: { Allow: 'GET, HEAD' },
      });
    }
    const url = parseUrl(c.req.url);
    const request = parsePath(url, c.req.header('host'), names);
    c.get('record').request = request;
    const viewer = await readViewer(c, request, parts.credentials, passesThrough);
    const client = viewer.credential?.fingerprint ?? parts.clientAddress(c);
    return await answer(parts, request, { c, url, viewer, client });
  };
}

/** A Host header can be good HTTP and no host of a URL, such as `mirror.0`. */
function parseUrl(text: string): URL {
  if (URL.canParse(text)) return new URL(text);
  throw new OciError('NAME_INVALID', 400, 'the Host header is not a host of a URL');
}

/** A client's credentials count only where they are passed on; elsewhere everybody is the same. */
async function readViewer(
  c: Context,
  request: PullRequest,
  credentials: ClientCredentials | undefined,
  passesThrough: (upstream: string) => boolean,
): Promise<Viewer> {
  if (request.kind === 'version' || credentials === undefined) return {};
  if (!passesThrough(request.repository.upstream)) return {};
  const credential = await credentials.read(c.req.header('authorization'));
  return credential === undefined ? {} : { credential };
}

async function answer(parts: RouteParts, request: PullRequest, asked: Asked): Promise<Response> {
  switch (request.kind) {
    case 'version':
      return answerVersion();
    case 'manifest':
      return await answerManifest(parts, request, asked);
    case 'blob':
      return await answerBlob(parts, request, asked);
    case 'tags':
      return await answerTags(parts, request, asked);
    case 'referrers':
      return await answerReferrers(parts, request, asked);
  }
}
