// The URL grammar of the distribution specification, parsed once into a typed request.
// Source: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#endpoints

import { type Digest, parseDigest } from '../oci/digest.ts';
import { OciError } from '../oci/error.ts';
import {
  type ManifestReference,
  parseManifestReference,
  type Repository,
} from '../oci/reference.ts';
import { chooseRepository, type UpstreamNames } from './choose-upstream.ts';

/** What every request for a repository has. */
interface InRepository {
  readonly repository: Repository;
  /** `/v2/<name>` as the client wrote it: what links back to the client start with. */
  readonly path: string;
  /** The `ns` of the query, when there was one. */
  readonly namespace?: string;
}

export interface ManifestRequest extends InRepository {
  readonly kind: 'manifest';
  readonly reference: ManifestReference;
}

export interface BlobRequest extends InRepository {
  readonly kind: 'blob';
  readonly digest: Digest;
}

export interface TagsRequest extends InRepository {
  readonly kind: 'tags';
}

export interface ReferrersRequest extends InRepository {
  readonly kind: 'referrers';
  readonly digest: Digest;
}

export type RepositoryRequest = ManifestRequest | BlobRequest | TagsRequest | ReferrersRequest;

export type PullRequest = { readonly kind: 'version' } | RepositoryRequest;

const PREFIX = '/v2/';

/** `<name>/<endpoint>/<last>`; the last endpoint counts, since names may contain its word. */
const ENDPOINT = /^(.+)\/(manifests|blobs|tags|referrers)\/([^/]+)$/;
const UPLOAD = /^.+\/blobs\/uploads(?:\/[^/]*)?$/;

/** Longest path: a name of 255 characters, an upstream's name and the longest digest, escaped, fit. */
const MAX_PATH_LENGTH = 2048;

/** Parses a GET or HEAD; throws OciError when it is not one that the pull side has. */
export function parsePath(url: URL, host: string | undefined, names: UpstreamNames): PullRequest {
  if (url.pathname === '/v2' || url.pathname === PREFIX) return { kind: 'version' };
  const path = decodePath(url.pathname);
  if (!path.startsWith(PREFIX)) throw unknownPath();
  const rest = path.slice(PREFIX.length);
  if (UPLOAD.test(rest)) {
    throw new OciError('BLOB_UPLOAD_UNKNOWN', 404, 'there are no uploads: this is a mirror');
  }
  const [, name, endpoint, last] = ENDPOINT.exec(rest) ?? [];
  if (name === undefined || last === undefined) throw unknownPath();
  const namespace = readNamespace(url);
  const place: InRepository = {
    repository: chooseRepository(name, namespace, host, names),
    path: `${PREFIX}${name}`,
    ...(namespace === undefined ? {} : { namespace }),
  };
  switch (endpoint) {
    case 'manifests':
      return { ...place, kind: 'manifest', reference: parseManifestReference(last) };
    case 'blobs':
      return { ...place, kind: 'blob', digest: parseDigest(last) };
    case 'referrers':
      return { ...place, kind: 'referrers', digest: parseDigest(last) };
    default:
      if (last !== 'list') throw unknownPath();
      return { ...place, kind: 'tags' };
  }
}

/** The `ns` of the query. Most requests have none, and a parsed query costs as much as the rest. */
function readNamespace(url: URL): string | undefined {
  if (url.search === '') return undefined;
  const [namespace, ...others] = url.searchParams.getAll('ns');
  if (others.length > 0) throw new OciError('NAME_UNKNOWN', 404, 'ns is given more than once');
  return namespace;
}

function decodePath(path: string): string {
  if (path.length > MAX_PATH_LENGTH)
    throw new OciError('NAME_INVALID', 400, 'the path is too long');
  try {
    return decodeURIComponent(path);
  } catch (error) {
    throw new OciError('NAME_INVALID', 400, 'the path is not well escaped', { cause: error });
  }
}

function unknownPath(): OciError {
  return new OciError('UNSUPPORTED', 404, 'no such endpoint');
}
