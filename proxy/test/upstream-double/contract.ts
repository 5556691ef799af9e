// What a test asks of the fake registry: how it is set up, what it is told, what it tells.

import type { IncomingHttpHeaders } from 'node:http';
import type { Authorization, AuthorizationOptions } from './authorization.ts';
import type { Content, Image, ImageOptions, MultiImage } from './content.ts';
import type { FaultScript, ServerRole } from './fault.ts';
import type { TlsOptions } from './listener.ts';

export interface RegistryOptions {
  readonly address?: string;
  readonly port?: number;
  readonly tls?: TlsOptions;
  readonly authorization?: AuthorizationOptions;
  /** Redirects blobs to a second port, at this address or the registry's own. */
  readonly cdn?: boolean | { readonly address: string };
  readonly rateLimit?: { readonly limit: number; readonly remaining: number };
  /** Whether the referrers API is there; it answers 404 when not. */
  readonly referrers?: boolean;
  /** Entries per page of tags and referrers; all when absent. */
  readonly pageSize?: number;
  /** Whether Range is understood. */
  readonly ranges?: boolean;
}

export interface LoggedRequest {
  readonly role: ServerRole;
  readonly method: string;
  /** Path and query, as received. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** 0 until an answer was chosen. */
  status: number;
  /** Bytes of the body that were sent. */
  bytes: number;
  /** Whether the answer or the connection has ended. */
  ended: boolean;
}

export interface ImageInRepository extends ImageOptions {
  readonly repository: string;
  readonly tag?: string;
}

export interface Registry {
  /** Base URL. */
  readonly url: string;
  /** `127.0.0.1:port`. */
  readonly host: string;
  readonly cdnUrl: string;
  readonly requests: LoggedRequest[];
  readonly faults: FaultScript;
  readonly authorization: Authorization | undefined;
  rateLimit: { limit: number; remaining: number } | undefined;
  putImage(options: ImageInRepository): Image;
  putMultiImage(options: ImageInRepository, platforms: readonly string[]): MultiImage;
  putManifest(repository: string, content: Content, tag?: string): Content;
  putBlob(repository: string, content: Content | Uint8Array): Content;
  tag(repository: string, tag: string, digest: string): void;
  untag(repository: string, tag: string): void;
  remove(repository: string, digest: string): void;
  /** Requests to the registry itself whose path contains the text. */
  count(path: string, method?: string): number;
  /** Bytes of bodies sent to requests whose path contains the text, from all ports. */
  bytesSent(path: string): number;
  /** Resolves once so many matching requests have come. */
  waitForRequests(path: string, count?: number): Promise<void>;
  /** Resolves once the condition holds; it is looked at whenever a request comes or ends. */
  waitUntil(condition: () => boolean): Promise<void>;
  /** Refuses connections and cuts those there are, until restore(). */
  refuse(): Promise<void>;
  restore(): Promise<void>;
  close(): Promise<void>;
}
