// What the routes need to answer.

import type { Context } from 'hono';
import type { Viewer } from '../access/credential.ts';
import type { AppEnvironment } from '../middleware/request-record.ts';
import type { Digest } from '../oci/digest.ts';
import type { Repository } from '../oci/reference.ts';
import type { CacheStatus, Mirror } from '../pull/mirror.ts';
import type { SendBody } from './send-body.ts';

export interface RouteParts {
  readonly mirror: Mirror;
  readonly sendBody: SendBody;
  readonly pulls?: PullListener | undefined;
}

/** Told of what clients get, after it was found that they may have it. `client` stands for who asks. */
export interface PullListener {
  manifestPulled(repository: Repository, digest: Digest, client: string): void;
  blobPulled(repository: Repository, digest: Digest, client: string): void;
}

/** A request on its way through a route. */
export interface Asked {
  readonly c: Context<AppEnvironment>;
  readonly url: URL;
  readonly viewer: Viewer;
  /** The fingerprint of the client's credentials, or else its address. */
  readonly client: string;
}

/** Notes how the answer came about. */
export function noteCache(c: Context<AppEnvironment>, cache: CacheStatus): void {
  c.get('record').cache = cache;
}
