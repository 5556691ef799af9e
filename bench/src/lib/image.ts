// The image that a benchmark pulls: seeded layers, a config and a manifest, as files in one folder,
// with a list of them that the upstream serves from.
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Content, writeContent } from './content.ts';

export const manifestMediaType = 'application/vnd.oci.image.manifest.v1+json';
const configMediaType = 'application/vnd.oci.image.config.v1+json';
const layerMediaType = 'application/vnd.oci.image.layer.v1.tar+gzip';

/** Two components, so that no registry puts `library/` before it. */
export const repository = 'bench/image';
export const tag = 'latest';

export interface Image {
  readonly folder: string;
  readonly manifest: Content;
  readonly config: Content;
  readonly layers: readonly Content[];
}

export function manifestPath(reference: string): string {
  return `/v2/${repository}/manifests/${reference}`;
}

export function blobPath(digest: string): string {
  return `/v2/${repository}/blobs/${digest}`;
}

async function writeJson(folder: string, name: string, value: unknown): Promise<Content> {
  const bytes = Buffer.from(JSON.stringify(value));
  const file = join(folder, name);
  await writeFile(file, bytes);
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  return { file, size: bytes.length, digest };
}

/** Writes an image whose layers have these sizes, bytes. */
export async function writeImage(folder: string, layerSizes: readonly number[]): Promise<Image> {
  const layers: Content[] = [];
  for (const [index, size] of layerSizes.entries()) {
    layers.push(await writeContent(folder, `layer-${index}`, size));
  }
  const config = await writeJson(folder, 'config.json', {
    architecture: 'amd64',
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.digest) },
  });
  const manifest = await writeJson(folder, 'manifest.json', {
    schemaVersion: 2,
    mediaType: manifestMediaType,
    config: { mediaType: configMediaType, digest: config.digest, size: config.size },
    layers: layers.map(({ digest, size }) => ({ mediaType: layerMediaType, digest, size })),
  });
  return { folder, manifest, config, layers };
}
