// The media types of manifests: which there are, and which of the two shapes a body has.
// Source: https://github.com/opencontainers/image-spec/blob/v1.1.1/media-types.md and
// https://distribution.github.io/distribution/spec/manifest-v2-2/#media-types

/** `index`: names manifests; `image`: names config and layers; `schema1`: Docker's old form, names layers. */
export type ManifestKind = 'index' | 'image' | 'schema1';

export const OCI_IMAGE: string = 'application/vnd.oci.image.manifest.v1+json';
export const OCI_INDEX: string = 'application/vnd.oci.image.index.v1+json';
export const OCI_ARTIFACT: string = 'application/vnd.oci.artifact.manifest.v1+json';
export const DOCKER_IMAGE: string = 'application/vnd.docker.distribution.manifest.v2+json';
export const DOCKER_LIST: string = 'application/vnd.docker.distribution.manifest.list.v2+json';
export const DOCKER_SCHEMA1: string = 'application/vnd.docker.distribution.manifest.v1+json';
export const DOCKER_SCHEMA1_SIGNED: string =
  'application/vnd.docker.distribution.manifest.v1+prettyjws';

const KINDS: ReadonlyMap<string, ManifestKind> = new Map([
  [OCI_INDEX, 'index'],
  [OCI_IMAGE, 'image'],
  [DOCKER_LIST, 'index'],
  [DOCKER_IMAGE, 'image'],
  [OCI_ARTIFACT, 'image'],
  [DOCKER_SCHEMA1_SIGNED, 'schema1'],
  [DOCKER_SCHEMA1, 'schema1'],
]);

/** Every manifest type that clients ask for, newest first: what to send as Accept. */
export const MANIFEST_MEDIA_TYPES: readonly string[] = [...KINDS.keys()];

/** Layers that stay at their vendor: a registry may not have them. */
const FOREIGN_LAYERS: ReadonlySet<string> = new Set([
  'application/vnd.docker.image.rootfs.foreign.diff.tar',
  'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
]);
const NONDISTRIBUTABLE_PREFIX = 'application/vnd.oci.image.layer.nondistributable.v1.tar';

/** Types that registries send for want of a better one; they say nothing of the body. */
const GENERIC: ReadonlySet<string> = new Set([
  '',
  'application/json',
  'application/octet-stream',
  'binary/octet-stream',
  'text/plain',
]);

/** The media type alone: without parameters, in lower case, without white space. */
export function bareMediaType(contentType: string): string {
  const end = contentType.indexOf(';');
  return (end < 0 ? contentType : contentType.slice(0, end)).trim().toLowerCase();
}

/** The manifest's kind, undefined when the type is not a manifest's. */
export function manifestKind(mediaType: string): ManifestKind | undefined {
  return KINDS.get(mediaType);
}

export function isManifestMediaType(mediaType: string): boolean {
  return KINDS.has(mediaType);
}

/** Whether a content type says nothing of what the body is. */
export function isGenericMediaType(mediaType: string): boolean {
  return GENERIC.has(mediaType);
}

/** Whether a layer of this type is not to be distributed, so that it may be absent at the registry. */
export function isForeignLayer(mediaType: string): boolean {
  return FOREIGN_LAYERS.has(mediaType) || mediaType.startsWith(NONDISTRIBUTABLE_PREFIX);
}

/** Ends what a tar is called, compressed or not: `…layer.v1.tar+gzip`, `…rootfs.diff.tar.gzip`, `…+x-gtar`. */
const LAYER_SUFFIX = /[.+]x?-?g?tar([.+](gzip|zstd))?$/;

/** Whether a blob of this type is a layer: a tar, compressed or not. */
export function isLayerMediaType(mediaType: string): boolean {
  return LAYER_SUFFIX.test(bareMediaType(mediaType));
}
