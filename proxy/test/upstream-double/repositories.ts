// The fake registry's content: repositories with manifests, blobs and tags, and their listings.

import { type Answer, errorAnswer, jsonAnswer } from './answer.ts';
import type { Content, DescriptorJson } from './content.ts';

export interface RepositoryContent {
  readonly manifests: Map<string, Content>;
  readonly blobs: Map<string, Content>;
  readonly tags: Map<string, string>;
}

const INDEX_TYPE = 'application/vnd.oci.image.index.v1+json';

export class Repositories {
  readonly #repositories = new Map<string, RepositoryContent>();
  readonly #referrers: boolean;
  readonly #pageSize: number | undefined;

  constructor(referrers: boolean, pageSize: number | undefined) {
    this.#referrers = referrers;
    this.#pageSize = pageSize;
  }

  /** The repository, made when it is not there. */
  get(name: string): RepositoryContent {
    const existing = this.#repositories.get(name);
    if (existing !== undefined) return existing;
    const made = { manifests: new Map(), blobs: new Map(), tags: new Map() };
    this.#repositories.set(name, made);
    return made;
  }

  blob(name: string, digest: string): Content | undefined {
    return this.#repositories.get(name)?.blobs.get(digest);
  }

  manifest(name: string, reference: string): Answer {
    const repository = this.#repositories.get(name);
    if (repository === undefined) return errorAnswer(404, 'NAME_UNKNOWN');
    const digest = reference.includes(':') ? reference : repository.tags.get(reference);
    const content = digest === undefined ? undefined : repository.manifests.get(digest);
    if (content === undefined) return errorAnswer(404, 'MANIFEST_UNKNOWN');
    const headers = {
      'content-type': content.mediaType,
      'docker-content-digest': content.digest,
    };
    return { status: 200, headers, body: content.bytes, whole: content.bytes };
  }

  tagList(name: string, last: string, url: URL): Answer {
    const repository = this.#repositories.get(name);
    if (repository === undefined || last !== 'list') return errorAnswer(404, 'NAME_UNKNOWN');
    const after = url.searchParams.get('last') ?? '';
    const tags = [...repository.tags.keys()]
      .sort((one, other) => (one < other ? -1 : 1))
      .filter((tag) => tag > after);
    const asked = url.searchParams.get('n');
    const size = Math.min(
      asked === null ? Number.POSITIVE_INFINITY : Number(asked),
      this.#pageSize ?? Number.POSITIVE_INFINITY,
    );
    const page = tags.slice(0, size);
    const more = page.length > 0 && page.length < tags.length;
    const next = `/v2/${name}/tags/list?last=${page.at(-1)}&n=${size}`;
    return jsonAnswer(200, { name, tags: page }, more ? { link: `<${next}>; rel="next"` } : {});
  }

  referrers(name: string, digest: string, url: URL): Answer {
    if (!this.#referrers) return errorAnswer(404, 'UNSUPPORTED');
    const filter = url.searchParams.get('artifactType');
    const all = [...this.get(name).manifests.values()]
      .map((content) => referrerOf(content, digest))
      .filter((descriptor) => descriptor !== undefined)
      .filter((descriptor) => filter === null || descriptor.artifactType === filter);
    const start = Number(url.searchParams.get('page') ?? '0');
    const size = this.#pageSize ?? all.length;
    const manifests = all.slice(start, start + size);
    const nextUrl = new URL(url);
    nextUrl.searchParams.set('page', String(start + size));
    return jsonAnswer(
      200,
      { schemaVersion: 2, mediaType: INDEX_TYPE, manifests },
      {
        'content-type': INDEX_TYPE,
        ...(filter === null ? {} : { 'oci-filters-applied': 'artifactType' }),
        ...(start + size < all.length
          ? { link: `<${nextUrl.pathname}${nextUrl.search}>; rel="next"` }
          : {}),
      },
    );
  }
}

interface ManifestJson {
  readonly artifactType?: string;
  readonly config?: { readonly mediaType?: string };
  readonly annotations?: Record<string, string>;
  readonly subject?: { readonly digest?: string };
}

/** The descriptor of a manifest that names the digest as its subject. */
function referrerOf(content: Content, digest: string): DescriptorJson | undefined {
  const manifest = readJson(content.bytes);
  if (manifest?.subject?.digest !== digest) return undefined;
  const artifactType = manifest.artifactType ?? manifest.config?.mediaType;
  return {
    mediaType: content.mediaType,
    digest: content.digest,
    size: content.bytes.length,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(manifest.annotations === undefined ? {} : { annotations: manifest.annotations }),
  };
}

function readJson(bytes: Uint8Array): ManifestJson | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    // Manifests that are not JSON are put on purpose; they refer to nothing.
    return undefined;
  }
}
