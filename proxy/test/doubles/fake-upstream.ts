// An upstream whose answers the test gives, and which remembers what was asked.

import { createHash } from 'node:crypto';
import { type Digest, parseDigest } from '../../src/oci/digest.ts';
import type { ManifestReference } from '../../src/oci/reference.ts';
import {
  type ManifestHead,
  type ReceivedBlob,
  type ReceivedList,
  type ReceivedManifest,
  type Upstream,
  UpstreamError,
  type UpstreamErrorKind,
  type UpstreamRequestOptions,
  type UpstreamStatus,
} from '../../src/upstream/upstream.ts';

export function sha256(bytes: Uint8Array): Digest {
  return parseDigest(`sha256:${createHash('sha256').update(bytes).digest('hex')}`);
}

export function upstreamError(kind: UpstreamErrorKind): UpstreamError {
  return new UpstreamError('fake', kind, kind);
}

/** A body of the bytes from `start` on, in chunks; `breaksAt` ends it there with a transport error. */
export function body(
  bytes: Uint8Array,
  start: number,
  options: { breaksAt?: number; size?: number | undefined; chunk?: number } = {},
): ReceivedBlob {
  const end = options.breaksAt ?? bytes.length;
  const chunk = options.chunk ?? 100_000;
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for (let at = start; at < end; at += chunk) {
      await Promise.resolve();
      yield bytes.subarray(at, Math.min(end, at + chunk));
    }
    if (options.breaksAt !== undefined) throw upstreamError('transport');
  }
  const size = 'size' in options ? options.size : bytes.length;
  return { start, size, body: chunks(), cancel: () => undefined };
}

export interface Asked {
  readonly what:
    | 'head-manifest'
    | 'get-manifest'
    | 'head-blob'
    | 'open-blob'
    | 'tags'
    | 'referrers';
  readonly repository: string;
  readonly name: string;
  readonly start?: number;
  readonly username?: string | undefined;
}

export class FakeUpstream implements Upstream {
  readonly name: string = 'fake';
  passThrough = false;
  readonly asked: Asked[] = [];
  readonly blobs = new Map<string, Uint8Array>();
  readonly tags = new Map<string, Digest>();
  readonly mediaTypes = new Map<string, string>();
  /** When set, every request fails like this. */
  failure: UpstreamErrorKind | undefined;
  /** Names that may pull; undefined lets everybody. */
  allowed: ReadonlySet<string> | undefined;
  /** Replaces the body that openBlob() gives. */
  respond: ((digest: Digest, start: number, attempt: number) => ReceivedBlob) | undefined;

  /** Adds a manifest under a tag. */
  push(tag: string, manifest: object): Digest {
    const bytes = new TextEncoder().encode(JSON.stringify(manifest));
    const digest = this.add(bytes);
    this.tags.set(tag, digest);
    return digest;
  }

  add(bytes: Uint8Array): Digest {
    const digest = sha256(bytes);
    this.blobs.set(digest, bytes);
    return digest;
  }

  count(what: Asked['what']): number {
    return this.asked.filter((asked) => asked.what === what).length;
  }

  async headManifest(
    repository: string,
    reference: ManifestReference,
    options: UpstreamRequestOptions,
  ): Promise<ManifestHead> {
    const digest = this.#resolve(reference);
    const bytes = await this.#answer('head-manifest', repository, digest, options);
    return { digest: sha256(bytes), size: bytes.length };
  }

  async getManifest(
    repository: string,
    reference: ManifestReference,
    options: UpstreamRequestOptions,
  ): Promise<ReceivedManifest> {
    const digest = this.#resolve(reference);
    const bytes = await this.#answer('get-manifest', repository, digest, options);
    const mediaType = 'application/vnd.oci.image.manifest.v1+json';
    return { bytes, mediaType, digest: sha256(bytes) };
  }

  async headBlob(
    repository: string,
    digest: Digest,
    options: UpstreamRequestOptions,
  ): Promise<number | undefined> {
    return (await this.#answer('head-blob', repository, digest, options)).length;
  }

  async openBlob(
    repository: string,
    digest: Digest,
    start: number,
    attempt: number,
    options: UpstreamRequestOptions,
  ): Promise<ReceivedBlob> {
    const bytes = await this.#answer('open-blob', repository, digest, options, start);
    if (this.respond !== undefined) return this.respond(digest, start, attempt);
    if (start >= bytes.length && start > 0) throw upstreamError('out-of-range');
    return body(bytes, start);
  }

  async listTags(
    repository: string,
    query: URLSearchParams,
    options: UpstreamRequestOptions,
  ): Promise<ReceivedList> {
    await this.#note('tags', repository, query.toString(), options);
    const bytes = new TextEncoder().encode(JSON.stringify({ tags: [...this.tags.keys()] }));
    return { bytes, mediaType: 'application/json' };
  }

  async getReferrers(
    repository: string,
    digest: Digest,
    _query: URLSearchParams,
    options: UpstreamRequestOptions,
  ): Promise<ReceivedList> {
    await this.#note('referrers', repository, digest, options);
    return { bytes: new Uint8Array(), mediaType: 'application/vnd.oci.image.index.v1+json' };
  }

  status(): UpstreamStatus {
    const counts = { requests: this.asked.length, failures: 0, bytesReceived: 0 };
    return { name: this.name, circuit: 'closed', ...counts };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #resolve(reference: ManifestReference): string {
    return reference.kind === 'digest' ? reference.digest : (this.tags.get(reference.tag) ?? '');
  }

  async #answer(
    what: Asked['what'],
    repository: string,
    name: string,
    options: UpstreamRequestOptions,
    start?: number,
  ): Promise<Uint8Array> {
    await this.#note(what, repository, name, options, start);
    const bytes = this.blobs.get(name);
    if (bytes === undefined) throw upstreamError('not-found');
    return bytes;
  }

  async #note(
    what: Asked['what'],
    repository: string,
    name: string,
    options: UpstreamRequestOptions,
    start?: number,
  ): Promise<void> {
    const username = options.credential?.username;
    this.asked.push({
      what,
      repository,
      name,
      username,
      ...(start === undefined ? {} : { start }),
    });
    await Promise.resolve();
    if (this.failure !== undefined) throw upstreamError(this.failure);
    if (this.allowed !== undefined && !this.allowed.has(username ?? '')) {
      throw upstreamError('unauthorized');
    }
  }
}
