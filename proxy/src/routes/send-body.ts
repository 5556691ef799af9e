// How a blob's bytes get from their source to the client; each runtime has its own way.

import type { Context } from 'hono';
import type { BlobSource } from '../store/blob-store.ts';

/** A piece of a body: bytes in memory, or a slice of a source (`end` is exclusive). */
export type BodyPart =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'slice'; readonly start: number; readonly end: number };

export interface BlobBody {
  readonly source: BlobSource;
  readonly parts: readonly BodyPart[];
  /** Sum of all parts, bytes; sent as Content-Length. */
  readonly length: number;
}

export interface SentBody {
  readonly bytes: number;
  /** `complete`; `aborted` by the client; `short` because the source ended early. */
  readonly outcome: 'complete' | 'aborted' | 'short';
  /** Why the source ended early. */
  readonly error?: unknown;
}

/**
 * Answers with the status, headers and body. Closes the source in every case. A source that fails
 * ends the body short with an orderly close of the connection: clients then re-open at the offset,
 * while a reset would fail their pull. `sent` is called once, after the last byte or the failure.
 */
export type SendBody = (
  c: Context,
  head: { readonly status: 200 | 206; readonly headers: Readonly<Record<string, string>> },
  body: BlobBody,
  sent: (result: SentBody) => void,
) => Response | Promise<Response>;
