// Image names as people write them: `debian`, `ghcr.io/o/r:tag`, `quay.io/o/r@sha256:…`.
// Source: https://github.com/distribution/reference/blob/v0.6.0/normalize.go (familiar names)

import {
  type ManifestReference,
  parseManifestReference,
  parseRepositoryName,
  type Repository,
} from '../oci/reference.ts';

export interface ImageReference {
  readonly repository: Repository;
  readonly reference: ManifestReference;
}

/** A name that means no image of a configured upstream. */
export class ImageReferenceError extends Error {
  override readonly name = 'ImageReferenceError';
  readonly code: 'REFERENCE_INVALID' | 'UPSTREAM_UNKNOWN';
  readonly got: string;

  constructor(code: ImageReferenceError['code'], got: string, message: string, cause?: unknown) {
    super(`${JSON.stringify(got.slice(0, 300))} ${message}`, cause === undefined ? {} : { cause });
    this.code = code;
    this.got = got;
  }
}

const DOCKER_HUB = 'docker.io';

/** Other names of Docker Hub in use. */
const DOCKER_HUB_HOSTS: ReadonlySet<string> = new Set(['index.docker.io', 'registry-1.docker.io']);

const DEFAULT_TAG = 'latest';

/** A first part is a registry's host if it has a dot or port, or is this name. */
const LOCAL_HOST = 'localhost';

export interface KnownUpstreams {
  has(name: string): boolean;
  /** For names without a registry where Docker Hub is not configured. */
  readonly defaultName: string;
}

/** Parses an image's name; a digest wins over a tag. Throws ImageReferenceError. */
export function parseImageReference(text: string, upstreams: KnownUpstreams): ImageReference {
  const [withTag = '', digest] = splitAt(text, text.indexOf('@'));
  const colon = withTag.lastIndexOf(':');
  const hasTag = colon > withTag.lastIndexOf('/');
  const [path = '', tag] = hasTag ? splitAt(withTag, colon) : [withTag];
  const { upstream, name } = splitUpstream(path, upstreams);
  if (!upstreams.has(upstream)) {
    throw new ImageReferenceError(
      'UPSTREAM_UNKNOWN',
      text,
      `is at ${upstream}, which is not among the configured upstreams`,
    );
  }
  try {
    const reference = parseManifestReference(digest ?? tag ?? DEFAULT_TAG);
    if (digest !== undefined && reference.kind === 'tag')
      throw new Error('no digest follows the @');
    return { repository: { upstream, name: parseRepositoryName(name) }, reference };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ImageReferenceError('REFERENCE_INVALID', text, `names no image: ${reason}`, error);
  }
}

/** The name in full, as `docker.io/library/debian:12`. */
export function formatImageReference({ repository, reference }: ImageReference): string {
  const last = reference.kind === 'tag' ? `:${reference.tag}` : `@${reference.digest}`;
  return `${repository.upstream}/${repository.name}${last}`;
}

function splitUpstream(
  path: string,
  upstreams: KnownUpstreams,
): { upstream: string; name: string } {
  const [first = '', rest] = splitAt(path, path.indexOf('/'));
  const isHost = first.includes('.') || first.includes(':') || first === LOCAL_HOST;
  if (rest !== undefined && (upstreams.has(first) || isHost)) {
    const upstream = DOCKER_HUB_HOSTS.has(first) ? DOCKER_HUB : first;
    return { upstream, name: upstream === DOCKER_HUB ? officialName(rest) : rest };
  }
  const upstream = upstreams.has(DOCKER_HUB) ? DOCKER_HUB : upstreams.defaultName;
  return { upstream, name: officialName(path) };
}

/** Docker Hub's images of one part are those of `library`. */
function officialName(name: string): string {
  return name.includes('/') || name === '' ? name : `library/${name}`;
}

/** What is before and after a character; all and nothing when it is not there. */
function splitAt(text: string, at: number): [string, string?] {
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}
