// A mirror whose answers a test sets, with its own record of what was asked.

import { createHash } from 'node:crypto';
import type { Viewer } from '../../src/access/credential.ts';
import { type Digest, digestOf } from '../../src/oci/digest.ts';
import { type ManifestReference, type Repository, repositoryKey } from '../../src/oci/reference.ts';
import type {
  BlobAnswer,
  CacheStatus,
  ListAnswer,
  ManifestAnswer,
  Mirror,
} from '../../src/pull/mirror.ts';
import type { BlobSource } from '../../src/store/blob-store.ts';
import { MemorySource } from '../../src/store/memory-source.ts';
import { UpstreamError } from '../../src/upstream/upstream.ts';

export interface AskedMirror {
  readonly method: keyof Mirror;
  readonly repository: string;
  readonly reference: string;
  readonly viewer: Viewer;
  readonly query?: string;
}

export function digestOfBytes(bytes: Uint8Array): Digest {
  return digestOf('sha256', createHash('sha256').update(bytes).digest('hex'));
}

export class FakeMirror implements Mirror {
  readonly asked: AskedMirror[] = [];
  readonly manifests = new Map<string, ManifestAnswer>();
  readonly blobs = new Map<string, () => BlobSource>();
  readonly sources: BlobSource[] = [];
  list: ListAnswer | undefined;
  cache: CacheStatus = 'hit';
  /** Thrown by every method when set. */
  error: unknown;

  /** Puts a manifest under its digest and a tag. */
  putManifest(text: string, mediaType: string, tag: string): ManifestAnswer {
    const bytes = new TextEncoder().encode(text);
    const answer: ManifestAnswer = { digest: digestOfBytes(bytes), mediaType, bytes, cache: 'hit' };
    this.manifests.set(tag, answer);
    this.manifests.set(answer.digest, answer);
    return answer;
  }

  putBlob(bytes: Uint8Array): Digest {
    const digest = digestOfBytes(bytes);
    this.blobs.set(digest, () => new MemorySource(bytes));
    return digest;
  }

  pullManifest(
    repository: Repository,
    reference: ManifestReference,
    viewer: Viewer,
  ): Promise<ManifestAnswer> {
    const text = reference.kind === 'tag' ? reference.tag : reference.digest;
    return this.#answer('pullManifest', repository, text, viewer, () => {
      const found = this.manifests.get(text);
      return found === undefined ? undefined : { ...found, cache: this.cache };
    });
  }

  pullBlob(repository: Repository, digest: Digest, viewer: Viewer): Promise<BlobAnswer> {
    return this.#answer('pullBlob', repository, digest, viewer, () => {
      const source = this.blobs.get(digest)?.();
      if (source === undefined) return undefined;
      this.sources.push(source);
      return { source, cache: this.cache };
    });
  }

  statBlob(
    repository: Repository,
    digest: Digest,
    viewer: Viewer,
  ): Promise<{ size: number; cache: CacheStatus }> {
    return this.#answer('statBlob', repository, digest, viewer, () => {
      const source = this.blobs.get(digest)?.();
      return source === undefined ? undefined : { size: source.size, cache: this.cache };
    });
  }

  listTags(repository: Repository, query: URLSearchParams, viewer: Viewer): Promise<ListAnswer> {
    return this.#answer('listTags', repository, '', viewer, () => this.list, query);
  }

  getReferrers(
    repository: Repository,
    digest: Digest,
    query: URLSearchParams,
    viewer: Viewer,
  ): Promise<ListAnswer> {
    return this.#answer('getReferrers', repository, digest, viewer, () => this.list, query);
  }

  async #answer<T>(
    method: keyof Mirror,
    repository: Repository,
    reference: string,
    viewer: Viewer,
    find: () => T | undefined,
    query?: URLSearchParams,
  ): Promise<T> {
    await Promise.resolve();
    this.asked.push({
      method,
      repository: repositoryKey(repository),
      reference,
      viewer,
      ...(query === undefined ? {} : { query: query.toString() }),
    });
    if (this.error !== undefined) throw this.error;
    const found = find();
    if (found === undefined) throw new UpstreamError(repository.upstream, 'not-found', 'not there');
    return found;
  }
}
