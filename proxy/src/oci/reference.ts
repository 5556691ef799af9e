// Names of repositories and tags, parsed once into types that cannot be wrong.
// Source: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pulling-manifests

import { type Digest, isDigest, parseDigest } from './digest.ts';
import { OciError } from './error.ts';

declare const checked: unique symbol;

/** A repository's name at its registry, such as `library/debian`. */
export type RepositoryName = string & { readonly [checked]: 'RepositoryName' };
export type Tag = string & { readonly [checked]: 'Tag' };

/** Registry and name together have to fit in 255 characters in every client. */
const MAX_NAME_LENGTH = 255;
const NAME = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;

export function isRepositoryName(text: string): text is RepositoryName {
  return text.length <= MAX_NAME_LENGTH && NAME.test(text);
}

/** Parses a repository's name; throws NAME_INVALID. */
export function parseRepositoryName(text: string): RepositoryName {
  if (isRepositoryName(text)) return text;
  throw new OciError('NAME_INVALID', 400, `not a repository name: ${text.slice(0, 300)}`);
}

export function isTag(text: string): text is Tag {
  return TAG.test(text);
}

/** Where a manifest is asked for: by tag or by digest. */
export type ManifestReference =
  | { readonly kind: 'tag'; readonly tag: Tag }
  | { readonly kind: 'digest'; readonly digest: Digest };

/** Parses the last component of a manifest's path; throws MANIFEST_INVALID or DIGEST_INVALID. */
export function parseManifestReference(text: string): ManifestReference {
  if (isDigest(text)) return { kind: 'digest', digest: text };
  if (text.includes(':')) return { kind: 'digest', digest: parseDigest(text) };
  if (isTag(text)) return { kind: 'tag', tag: text };
  throw new OciError('MANIFEST_INVALID', 400, `not a tag: ${text.slice(0, 200)}`);
}

/** One repository of one upstream. */
export interface Repository {
  /** The upstream's name in the configuration, such as `docker.io`. */
  readonly upstream: string;
  readonly name: RepositoryName;
}

/** The repository as one string, `docker.io/library/debian`; the index's key. */
export function repositoryKey(repository: Repository): string {
  return `${repository.upstream}/${repository.name}`;
}
