// What is learned about a request while it is answered: the access log and the metrics read it.

import type { Digest } from '../oci/digest.ts';
import type { CacheStatus } from '../pull/mirror.ts';
import type { PullRequest } from '../routes/parse-path.ts';
import type { SentBody } from '../routes/send-body.ts';

/** A request that was answered, down to its last byte. */
export interface EndedRequest {
  readonly requestId: string;
  readonly client: string;
  readonly method: string;
  /** Without the query, which may carry secrets. */
  readonly path: string;
  readonly route: PullRequest['kind'] | 'other';
  readonly status: number;
  /** Bytes of the body that were sent. */
  readonly bytes: number;
  readonly durationMs: number;
  readonly outcome: SentBody['outcome'];
  readonly upstream?: string;
  readonly namespace?: string;
  readonly cache?: CacheStatus;
  /** Of the manifest that was given. */
  readonly digest?: Digest;
  readonly userAgent?: string;
  /** Why the answer is an error or ended early. */
  readonly error?: string;
}

export interface RequestRecord {
  readonly id: string;
  request?: PullRequest;
  cache?: CacheStatus;
  digest?: Digest;
  error?: string;
  /** Bytes of a body in memory, where the route knows. */
  bodySize?: number;
  /** Status of a body that is sent outside of the handler; the record ends when that body does. */
  streamedStatus?: number;
  /** Ends a record whose body was streamed. */
  end(sent: SentBody): void;
}

/** Hono's environment in Mica's handlers. */
export interface AppEnvironment {
  readonly Variables: { record: RequestRecord };
}
