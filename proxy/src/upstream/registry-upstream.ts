// An upstream that is a registry reached over HTTP.
// Source: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pull

import { type Digest, isDigest, isEmptyDigest } from '../oci/digest.ts';
import { MAX_MANIFEST_SIZE } from '../oci/manifest.ts';
import { bareMediaType, MANIFEST_MEDIA_TYPES, OCI_INDEX } from '../oci/media-type.ts';
import type { ManifestReference, RepositoryName } from '../oci/reference.ts';
import { receiveBlob } from './receive-blob.ts';
import { ResponseBody, readBody, TooLargeError } from './response-body.ts';
import { headerOf, invalidError, tooLargeError } from './response-error.ts';
import type {
  ManifestHead,
  ReceivedBlob,
  ReceivedList,
  ReceivedManifest,
  Upstream,
  UpstreamRequestOptions,
  UpstreamStatus,
} from './upstream.ts';
import type { ClientResponse, UpstreamClient } from './upstream-client.ts';

/** Largest page of tags or referrers, in bytes: 100,000 tags with long names. */
const MAX_LIST_SIZE = 16 * 1024 * 1024;

const MANIFEST_HEADERS = { accept: MANIFEST_MEDIA_TYPES.join(', ') };

export class RegistryUpstream implements Upstream {
  readonly name: string;
  readonly passThrough: boolean;
  readonly #client: UpstreamClient;

  constructor(name: string, passThrough: boolean, client: UpstreamClient) {
    this.name = name;
    this.passThrough = passThrough;
    this.#client = client;
  }

  headManifest(
    repository: RepositoryName,
    reference: ManifestReference,
    options: UpstreamRequestOptions,
  ): Promise<ManifestHead> {
    const last = referenceText(reference);
    const headers = MANIFEST_HEADERS;
    return this.#client.run(
      { method: 'HEAD', repository, kind: 'manifests', last, headers },
      options,
      (response) => {
        const { digest, mediaType } = describe(response);
        const size = announcedLength(response);
        return {
          ...(digest === undefined ? {} : { digest }),
          ...(mediaType === '' ? {} : { mediaType }),
          ...(size === undefined ? {} : { size }),
        };
      },
    );
  }

  getManifest(
    repository: RepositoryName,
    reference: ManifestReference,
    options: UpstreamRequestOptions,
  ): Promise<ReceivedManifest> {
    const last = referenceText(reference);
    const headers = MANIFEST_HEADERS;
    return this.#client.run(
      { method: 'GET', repository, kind: 'manifests', last, headers },
      options,
      async (response) => {
        const { digest, mediaType } = describe(response);
        const bytes = await this.#readWhole(response, MAX_MANIFEST_SIZE);
        return { bytes, mediaType, ...(digest === undefined ? {} : { digest }) };
      },
    );
  }

  headBlob(
    repository: RepositoryName,
    digest: Digest,
    options: UpstreamRequestOptions,
  ): Promise<number | undefined> {
    return this.#client.run(
      { method: 'HEAD', repository, kind: 'blobs', last: digest },
      options,
      (response) => {
        checkContent(response);
        const size = announcedLength(response);
        // Registries that leave a HEAD's length out have it filled in with 0 by some proxies.
        return size === 0 && !isEmptyDigest(digest) ? undefined : size;
      },
    );
  }

  openBlob(
    repository: RepositoryName,
    digest: Digest,
    start: number,
    attempt: number,
    options: UpstreamRequestOptions,
  ): Promise<ReceivedBlob> {
    const headers: Record<string, string> = start === 0 ? {} : { range: `bytes=${start}-` };
    return this.#client.run(
      { method: 'GET', repository, kind: 'blobs', last: digest, headers, firstUrl: attempt },
      options,
      (response) => {
        checkContent(response);
        const announced = announcedLength(response);
        if (announced === 0 && !isEmptyDigest(digest))
          throw invalidError(response.name, 'no bytes, which is not what the digest names');
        return receiveBlob(response, start, {
          announced,
          onBytes: (length) => this.#client.noteBytes(length),
          onBroken: () => this.#client.noteFailure(),
        });
      },
    );
  }

  listTags(
    repository: RepositoryName,
    query: URLSearchParams,
    options: UpstreamRequestOptions,
  ): Promise<ReceivedList> {
    const headers = { accept: 'application/json' };
    return this.#client.run(
      { method: 'GET', repository, kind: 'tags', last: 'list', query, headers },
      options,
      (response) => this.#receiveList(response),
    );
  }

  getReferrers(
    repository: RepositoryName,
    digest: Digest,
    query: URLSearchParams,
    options: UpstreamRequestOptions,
  ): Promise<ReceivedList> {
    const headers = { accept: OCI_INDEX };
    return this.#client.run(
      { method: 'GET', repository, kind: 'referrers', last: digest, query, headers },
      options,
      (response) => this.#receiveList(response),
    );
  }

  status(): UpstreamStatus {
    return this.#client.status;
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  async #receiveList(response: ClientResponse): Promise<ReceivedList> {
    const { mediaType } = describe(response);
    const bytes = await this.#readWhole(response, MAX_LIST_SIZE);
    const next = nextQuery(headerOf(response.headers, 'link'));
    const filtersApplied = headerOf(response.headers, 'oci-filters-applied');
    return {
      bytes,
      mediaType: mediaType === '' ? 'application/json' : mediaType,
      ...(next === undefined ? {} : { next }),
      ...(filtersApplied === undefined ? {} : { filtersApplied }),
    };
  }

  async #readWhole(response: ClientResponse, limit: number): Promise<Uint8Array> {
    if (response.status !== 200) throw invalidError(response.name, 'a part instead of the whole');
    const announced = announcedLength(response);
    if (announced !== undefined && announced > limit)
      throw tooLargeError(response.name, new TooLargeError(limit));
    const onBytes = (length: number) => this.#client.noteBytes(length);
    return await readBody(new ResponseBody(response.body, { onBytes }), limit);
  }
}

function referenceText(reference: ManifestReference): string {
  return reference.kind === 'tag' ? reference.tag : reference.digest;
}

/** What the headers of a checked answer say of its content. */
function describe(response: ClientResponse): { mediaType: string; digest: Digest | undefined } {
  checkContent(response);
  const digest = headerOf(response.headers, 'docker-content-digest');
  return {
    mediaType: bareMediaType(headerOf(response.headers, 'content-type') ?? ''),
    digest: digest !== undefined && isDigest(digest) ? digest : undefined,
  };
}

/** Refuses content that is coded, and the pages of login portals and proxies. */
function checkContent({ headers, name }: ClientResponse): void {
  const coding = headerOf(headers, 'content-encoding')?.trim().toLowerCase() ?? '';
  if (coding !== '' && coding !== 'identity')
    throw invalidError(name, 'the content is coded, though nobody asked for it');
  if (bareMediaType(headerOf(headers, 'content-type') ?? '') === 'text/html')
    throw invalidError(name, 'an HTML page');
}

function announcedLength({ headers }: ClientResponse): number | undefined {
  const text = headerOf(headers, 'content-length');
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** The query of the next page. https://www.rfc-editor.org/rfc/rfc8288#section-3 */
function nextQuery(link: string | undefined): string | undefined {
  const target = /<([^<>]*)>\s*;\s*rel="?next"?/i.exec(link ?? '')?.[1];
  if (target === undefined || !URL.canParse(target, 'http://registry')) return undefined;
  const query = new URL(target, 'http://registry').search.slice(1);
  return query === '' ? undefined : query;
}
