// distribution on a folder of images, as the upstream that images are pushed to and pulled from.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Child, startChild } from '../lib/child.ts';
import type { Cleanup } from '../lib/cleanup.ts';
import { member, parseLine, stringMember } from '../lib/json.ts';
import { findProgram } from '../peers/find-program.ts';
import type { CorpusImage, CorpusLayer } from './corpus-file.ts';
import { repositoryOf } from './engine.ts';
import { runLogged } from './run-logged.ts';

export interface CorpusRegistry {
  /** `host:port`, as image names have it. */
  readonly host: string;
  readonly url: string;
  readonly pid: number;
  readonly stop: Child['stop'];
}

export interface CorpusRegistryOptions {
  /** distribution's data: the storage driver's `rootdirectory`. */
  readonly data: string;
  /** For configuration and logs. */
  readonly folder: string;
  readonly cleanup: Cleanup;
}

/** Fails when distribution is not installed. */
export async function startCorpusRegistry(options: CorpusRegistryOptions): Promise<CorpusRegistry> {
  const program = findProgram('registry');
  if (program === undefined) {
    throw new Error('distribution (registry) is not installed');
  }
  await mkdir(options.data, { recursive: true });
  const file = await writeConfiguration(options);
  const child = startChild({
    name: 'registry',
    command: [program, 'serve', file],
    folder: options.folder,
    cleanup: options.cleanup,
    environment: { OTEL_TRACES_EXPORTER: 'none' },
  });
  const host = await child.waitForLine(
    (line) => /listening on (127\.0\.0\.1:\d+)/.exec(line)?.[1] ?? undefined,
  );
  return { host, url: `http://${host}`, pid: child.pid, stop: child.stop };
}

async function writeConfiguration({ data, folder }: CorpusRegistryOptions): Promise<string> {
  await mkdir(folder, { recursive: true });
  const file = join(folder, 'registry.yml');
  const configuration = {
    version: 0.1,
    log: { level: 'info', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: data } },
    http: { addr: '127.0.0.1:0' },
  };
  await writeFile(file, JSON.stringify(configuration));
  return file;
}

/**
 * Removes all but the images from the data of a registry that does not run: what an earlier list had,
 * what was pushed again, and uploads that were cut off.
 */
export async function keepOnly(
  images: readonly CorpusImage[],
  options: CorpusRegistryOptions,
): Promise<void> {
  const repositories = join(options.data, 'docker/registry/v2/repositories/bench');
  for (const family of await readdir(repositories)) {
    const folder = join(repositories, family);
    const kept = images.filter(({ repository }) => repository === repositoryOf(family));
    await rm(join(folder, '_uploads'), { recursive: true, force: true });
    const tags = join(folder, '_manifests/tags');
    for (const tag of existsSync(tags) ? await readdir(tags) : []) {
      if (!kept.some((image) => image.tag === tag)) {
        await rm(join(tags, tag), { recursive: true });
      }
    }
  }
  const file = await writeConfiguration(options);
  const collect = ['garbage-collect', '--quiet', '--delete-untagged', file];
  await runLogged([findProgram('registry') ?? 'registry', ...collect], {
    log: join(options.folder, 'collect.log'),
    cleanup: options.cleanup,
  });
}

const manifestMediaTypes = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
];

export interface PushedImage {
  /** Digest. */
  readonly manifest: string;
  readonly layers: readonly CorpusLayer[];
}

/** What the registry holds under a name; undefined when it has no such image. */
export async function readPushedImage(
  url: string,
  repository: string,
  reference: string,
): Promise<PushedImage | undefined> {
  const target = `${url}/v2/${repository}/manifests/${reference}`;
  const response = await fetch(target, { headers: { accept: manifestMediaTypes.join(', ') } });
  const body = Buffer.from(await response.arrayBuffer());
  if (response.status === 404) {
    return undefined;
  }
  if (!response.ok) {
    throw new Error(`${target}: ${response.status}`);
  }
  const layers = member(parseLine(body.toString('utf8')), 'layers');
  if (!Array.isArray(layers)) {
    throw new Error(`${target}: no manifest of an image`);
  }
  return {
    manifest: `sha256:${createHash('sha256').update(body).digest('hex')}`,
    layers: layers.map((layer) => ({
      digest: stringMember(layer, 'digest') ?? '',
      size: Number(member(layer, 'size')),
      mediaType: stringMember(layer, 'mediaType') ?? '',
    })),
  };
}
