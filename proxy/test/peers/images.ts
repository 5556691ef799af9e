// Real images for the tests: a Debian root file system as base layer, small layers above it, an
// index of two platforms and a signature-like tag, in the storage folder of a registry.

import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CACHE_FOLDER, findProgram, getProgram, runProgram } from './program.ts';
import { type Registry, startRegistry } from './registry.ts';

/** Changes whenever the images below do, so that kept ones are made anew. */
const RECIPE = 1;

const IMAGES_FOLDER = join(CACHE_FOLDER, `images-${RECIPE}`);
const CATALOGUE_FILE = join(IMAGES_FOLDER, 'catalogue.json');

/** Storage folder of a registry that holds the images; nothing writes to it after it was made. */
export const IMAGES_STORAGE: string = join(IMAGES_FOLDER, 'storage');

/** One image as the registry that holds it says. */
export interface ImageContent {
  readonly repository: string;
  readonly tag: string;
  /** Digest of what the tag names: an index or a manifest. */
  readonly digest: string;
  /** The manifest for linux/amd64. */
  readonly manifest: string;
  readonly config: string;
  readonly layers: readonly string[];
  readonly diffIds: readonly string[];
}

interface Manifest {
  readonly manifests?: readonly { digest: string; platform?: { architecture?: string } }[];
  readonly config?: { digest: string };
  readonly layers?: readonly { digest: string }[];
}

/** Docker's own media types, three layers. */
export const DEBIAN = { repository: 'library/debian', tag: '12' } as const;
/** OCI media types, four layers, the lowest shared with DEBIAN. */
export const TOOLS = { repository: 'site/tools', tag: 'v1.0' } as const;
/** An index of linux/amd64 and linux/arm64. */
export const MULTI = { repository: 'library/multi', tag: 'latest' } as const;

/** Makes the images unless they are there; gives why they could not be made. */
export async function makeImages(): Promise<readonly string[]> {
  if (existsSync(CATALOGUE_FILE)) return [];
  const missing = ['mmdebstrap', 'registry', 'crane'].filter(
    (name) => findProgram(name) === undefined,
  );
  if (missing.length > 0) return [`images: need ${missing.join(', ')}`];
  await mkdir(CACHE_FOLDER, { recursive: true });
  const work = await mkdtemp(join(CACHE_FOLDER, 'images-'));
  try {
    await fillStorage(work);
    await rename(work, IMAGES_FOLDER);
    return [];
  } catch (error) {
    // Another run may have made them at the same time.
    if (existsSync(CATALOGUE_FILE)) return [];
    return [`images: ${error instanceof Error ? error.message : String(error)}`];
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

export function hasImages(): boolean {
  return existsSync(CATALOGUE_FILE);
}

/** What the registry that holds the images has under a name. */
export async function getImage(name: { repository: string; tag: string }): Promise<ImageContent> {
  const images: readonly ImageContent[] = JSON.parse(await readFile(CATALOGUE_FILE, 'utf8'));
  const image = images.find((one) => one.repository === name.repository && one.tag === name.tag);
  if (image === undefined) throw new Error(`no image ${name.repository}:${name.tag}`);
  return image;
}

async function fillStorage(work: string): Promise<void> {
  const root = join(work, 'root.tar');
  await runProgram([getProgram('mmdebstrap'), '--quiet', '--variant=minbase', 'bookworm', root]);
  const storage = join(work, 'storage');
  const registry = await startRegistry(storage);
  try {
    await pushImages(registry, work, root);
    const images = [DEBIAN, TOOLS, MULTI].map((name) => readImage(registry, name));
    await writeFile(join(work, 'catalogue.json'), JSON.stringify(await Promise.all(images)));
  } finally {
    await registry.stop();
  }
  await rm(root);
}

async function pushImages(registry: Registry, work: string, root: string): Promise<void> {
  const crane = (...args: string[]): Promise<string> =>
    runProgram([getProgram('crane'), '--insecure', ...args]);
  const at = ({ repository, tag }: { repository: string; tag: string }): string =>
    `${registry.host}/${repository}:${tag}`;
  const layer = (name: string): Promise<string> => makeLayer(work, name);
  const platform = async (name: string, architecture: string): Promise<void> => {
    await crane('mutate', name, '--set-platform', `linux/${architecture}`, '--tag', name);
  };

  await crane('append', '-f', root, '-t', at(DEBIAN));
  for (const name of ['motd', 'settings']) {
    await crane('append', '-b', at(DEBIAN), '-f', await layer(name), '-t', at(DEBIAN));
  }
  await platform(at(DEBIAN), 'amd64');

  await crane('append', '--oci-empty-base', '-f', root, '-t', at(TOOLS));
  for (const name of ['tool-a', 'tool-b', 'tool-c']) {
    await crane('append', '-b', at(TOOLS), '-f', await layer(name), '-t', at(TOOLS));
  }
  await platform(at(TOOLS), 'amd64');

  const parts: string[] = [];
  for (const architecture of ['amd64', 'arm64']) {
    const part = at({ repository: MULTI.repository, tag: architecture });
    const own = await layer(`only-${architecture}`);
    await crane('append', '--oci-empty-base', '-f', root, '-f', own, '-t', part);
    await platform(part, architecture);
    parts.push('-m', part);
  }
  await crane('index', 'append', ...parts, '-t', at(MULTI));

  const digest = (await crane('digest', at(DEBIAN))).trim();
  const signature = at({ ...DEBIAN, tag: `${digest.replace(':', '-')}.sig` });
  await crane('append', '--oci-empty-base', '-f', await layer('signature'), '-t', signature);
}

/** A tar with one small file: GNU tar with fixed owner, time and order, so that it is always the same. */
async function makeLayer(work: string, name: string): Promise<string> {
  const folder = join(work, `layer-${name}`);
  await mkdir(join(folder, 'srv'), { recursive: true });
  await writeFile(join(folder, 'srv', name), `This is ${name}.\n`.repeat(1000));
  const file = join(work, `${name}.tar`);
  const fixed = ['--sort=name', '--owner=0', '--group=0', '--numeric-owner', '--mtime=@1700000000'];
  await runProgram([getProgram('tar'), ...fixed, '-C', folder, '-cf', file, 'srv']);
  await rm(folder, { recursive: true });
  return file;
}

/** What a registry holds under a name. */
export async function readImage(
  registry: Registry,
  name: { repository: string; tag: string },
): Promise<ImageContent> {
  const base = `${registry.url}/v2/${name.repository}`;
  const top = await fetchBytes(`${base}/manifests/${name.tag}`);
  const list: Manifest = JSON.parse(top.toString());
  const own = list.manifests?.find((one) => one.platform?.architecture === 'amd64')?.digest;
  const bytes = own === undefined ? top : await fetchBytes(`${base}/manifests/${own}`);
  const manifest: Manifest = JSON.parse(bytes.toString());
  const config = manifest.config?.digest ?? '';
  const settings: { rootfs: { diff_ids: string[] } } = JSON.parse(
    (await fetchBytes(`${base}/blobs/${config}`)).toString(),
  );
  return {
    ...name,
    digest: sha256(top),
    manifest: sha256(bytes),
    config,
    layers: (manifest.layers ?? []).map((layer) => layer.digest),
    diffIds: settings.rootfs.diff_ids,
  };
}

async function fetchBytes(url: string): Promise<Buffer> {
  const accept = [
    'application/vnd.oci.image.index.v1+json',
    'application/vnd.oci.image.manifest.v1+json',
    'application/vnd.docker.distribution.manifest.list.v2+json',
    'application/vnd.docker.distribution.manifest.v2+json',
  ].join(', ');
  const response = await fetch(url, { headers: { accept } });
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  return Buffer.from(await response.arrayBuffer());
}

export function sha256(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
