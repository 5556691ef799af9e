// Reads what a manifest says of its children, and refuses one that cannot be right.
// Source: https://github.com/opencontainers/image-spec/blob/v1.1.1/manifest.md and image-index.md,
// https://distribution.github.io/distribution/spec/manifest-v2-2/

import { type Digest, isDigest } from './digest.ts';
import { OciError } from './error.ts';
import { type Descriptor, MAX_MANIFEST_SIZE, type Manifest, type Platform } from './manifest.ts';
import {
  bareMediaType,
  DOCKER_SCHEMA1,
  DOCKER_SCHEMA1_SIGNED,
  isForeignLayer,
  isGenericMediaType,
  isManifestMediaType,
  type ManifestKind,
  manifestKind,
  OCI_IMAGE,
  OCI_INDEX,
} from './media-type.ts';

/** Most children of one manifest: in 4 MiB more than this fit only if they say next to nothing, and
 * each costs an entry in the index. */
export const MAX_CHILDREN: number = 20_000;

/** Layers of schema 1 have no size in the manifest; the upstream tells it when they are pulled. */
const UNKNOWN_SIZE = 0;

type Json = Readonly<Record<string, unknown>>;

/**
 * Parses a manifest's bytes. The result's media type is what to serve as Content-Type: the one
 * received when it is a manifest's, else the one that the body names or has the shape of.
 * Throws MANIFEST_INVALID.
 */
export function parseManifest(bytes: Uint8Array, contentType: string): Manifest {
  if (bytes.length > MAX_MANIFEST_SIZE) {
    throw invalid(`the manifest has ${bytes.length} bytes, more than ${MAX_MANIFEST_SIZE}`);
  }
  const body = readJson(bytes);
  const mediaType = resolveMediaType(body, bareMediaType(contentType));
  const kind = manifestKind(mediaType);
  if (kind === undefined) throw invalid(`not a manifest's media type: ${mediaType.slice(0, 100)}`);
  checkShape(body, kind);
  return { mediaType, ...children(body, kind) };
}

function invalid(message: string, cause?: unknown): OciError {
  return new OciError('MANIFEST_INVALID', 400, message, cause === undefined ? {} : { cause });
}

function readJson(bytes: Uint8Array): Json {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw invalid('the manifest is not JSON', error);
  }
  if (!isObject(value)) throw invalid('the manifest is not a JSON object');
  return value;
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The type received, else the one named in the body, else the one of its shape. */
function resolveMediaType(body: Json, received: string): string {
  const named = body['mediaType'];
  if (named !== undefined && typeof named !== 'string') throw invalid('mediaType is not a text');
  if (isManifestMediaType(received)) {
    if (named !== undefined && named !== received) {
      throw invalid(`sent as ${received}, but the body says ${named.slice(0, 100)}`);
    }
    return received;
  }
  if (!isGenericMediaType(received)) {
    throw invalid(`not a manifest's media type: ${received.slice(0, 100)}`);
  }
  if (named !== undefined) return named;
  if (body['schemaVersion'] === 1) {
    return body['signatures'] === undefined ? DOCKER_SCHEMA1 : DOCKER_SCHEMA1_SIGNED;
  }
  return body['manifests'] === undefined ? OCI_IMAGE : OCI_INDEX;
}

/** An index that is read as an image, or the other way round, has confused clients before:
 * https://github.com/opencontainers/image-spec/security/advisories/GHSA-77vh-xpmg-72qh */
function checkShape(body: Json, kind: ManifestKind): void {
  const isImage =
    body['config'] !== undefined || body['layers'] !== undefined || body['blobs'] !== undefined;
  const isIndex = body['manifests'] !== undefined;
  const isSchema1 = body['fsLayers'] !== undefined;
  const contradicts =
    kind === 'index'
      ? isImage || isSchema1 || !isIndex
      : kind === 'image'
        ? isIndex || isSchema1 || !isImage
        : isIndex || isImage || !isSchema1;
  if (contradicts) throw invalid(`the body is not that of an ${kind} manifest`);
  const version = kind === 'schema1' ? 1 : 2;
  if (body['schemaVersion'] !== undefined && body['schemaVersion'] !== version) {
    throw invalid(`schemaVersion is not ${version}`);
  }
}

function children(body: Json, kind: ManifestKind): Pick<Manifest, 'manifests' | 'blobs'> {
  switch (kind) {
    case 'index':
      return { manifests: list(body, 'manifests').map(readDescriptor), blobs: [] };
    case 'schema1':
      return { manifests: [], blobs: list(body, 'fsLayers').map(readSchema1Layer) };
    case 'image': {
      const config = body['config'] === undefined ? [] : [body['config']];
      const blobs = [...config, ...list(body, 'layers'), ...list(body, 'blobs')];
      return { manifests: [], blobs: blobs.map(readDescriptor) };
    }
  }
}

function list(body: Json, key: string): readonly unknown[] {
  const value = body[key];
  // Go writes an empty list as null.
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw invalid(`${key} is not a list`);
  if (value.length > MAX_CHILDREN) {
    throw invalid(`${key} has ${value.length} entries, more than ${MAX_CHILDREN}`);
  }
  return value;
}

function readDescriptor(value: unknown): Descriptor {
  if (!isObject(value)) throw invalid('a descriptor is not an object');
  const { mediaType, size } = value;
  if (typeof mediaType !== 'string' || mediaType === '') {
    throw invalid('a descriptor has no media type');
  }
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
    throw invalid(`a descriptor has an impossible size: ${String(size).slice(0, 40)}`);
  }
  const platform = readPlatform(value['platform']);
  return {
    mediaType,
    digest: readDigest(value['digest']),
    size,
    ...(platform === undefined ? {} : { platform }),
    ...(isForeignLayer(bareMediaType(mediaType)) ? { foreign: true } : {}),
  };
}

function readSchema1Layer(value: unknown): Descriptor {
  if (!isObject(value)) throw invalid('a layer is not an object');
  return {
    mediaType: 'application/vnd.docker.container.image.rootfs.diff+x-gtar',
    digest: readDigest(value['blobSum']),
    size: UNKNOWN_SIZE,
  };
}

function readDigest(value: unknown): Digest {
  if (typeof value === 'string' && isDigest(value)) return value;
  throw invalid(`a descriptor has no digest of a known kind: ${String(value).slice(0, 150)}`);
}

function readPlatform(value: unknown): Platform | undefined {
  if (!isObject(value)) return undefined;
  const { os, architecture, variant } = value;
  if (typeof os !== 'string' || typeof architecture !== 'string') return undefined;
  return { os, architecture, ...(typeof variant === 'string' ? { variant } : {}) };
}
