// Pulls an image of the corpus as an engine does: HEAD and GET of the manifest by tag, the config, then
// layers, three at once. Every byte is hashed while it comes, and all digests are compared.
import { createHash } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { type Dispatcher, request } from 'undici';
import type { CorpusImage, CorpusLayer } from '../corpus/corpus-file.ts';
import { member, parseLine, stringMember } from '../lib/json.ts';
import { fetchChecked } from './fetch-blob.ts';

/** dockerd's and containerd's default. */
const parallelLayers = 3;

const manifestTypes = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ');

export interface SessionOptions {
  /** Base URL of `/v2/`. */
  readonly url: string;
  readonly image: CorpusImage;
  /** Those to ask for. */
  readonly layers: readonly CorpusLayer[];
  /** From the manifest's last byte to the first layer's request. */
  readonly gapMs?: number;
  readonly dispatcher: Dispatcher;
}

export interface PulledLayer {
  readonly digest: string;
  /** From the request to the last byte. */
  readonly ms: number;
}

export interface PulledImage {
  readonly layers: readonly PulledLayer[];
  readonly wrong: readonly string[];
}

export async function pullSession(options: SessionOptions): Promise<PulledImage> {
  const { url, image, dispatcher, gapMs = 0 } = options;
  const base = `${url}/v2/${image.repository}`;
  const wrong: string[] = [];
  const add = (problem: string | undefined): void => {
    if (problem !== undefined) {
      wrong.push(problem);
    }
  };
  const manifest = `${base}/manifests/${image.tag}`;
  const { config, problem } = await fetchManifest(manifest, image.manifest, dispatcher);
  add(problem);
  // An engine does not go on without it.
  if (config === undefined) {
    return { layers: [], wrong };
  }
  add(await fetchChecked(`${base}/blobs/${config.digest}`, config, { dispatcher }));
  await wait(gapMs);
  const queue = [...options.layers];
  const layers: PulledLayer[] = [];
  const work = async (): Promise<void> => {
    for (let layer = queue.shift(); layer !== undefined; layer = queue.shift()) {
      const startedAt = performance.now();
      add(await fetchChecked(`${base}/blobs/${layer.digest}`, layer, { dispatcher }));
      layers.push({ digest: layer.digest, ms: performance.now() - startedAt });
    }
  };
  await Promise.all(Array.from({ length: parallelLayers }, work));
  return { layers, wrong };
}

interface FoundManifest {
  readonly config?: { readonly digest: string; readonly size: number };
  readonly problem?: string;
}

async function fetchManifest(
  url: string,
  digest: string,
  dispatcher: Dispatcher,
): Promise<FoundManifest> {
  const headers = { accept: manifestTypes };
  try {
    const head = await request(url, { method: 'HEAD', headers, dispatcher });
    await head.body.dump();
    const told = head.headers['docker-content-digest'];
    if (head.statusCode !== 200 || told !== digest) {
      return { problem: `HEAD ${url}: status ${head.statusCode}, ${told}, not ${digest}` };
    }
    const { statusCode, body } = await request(url, { headers, dispatcher });
    const text = await body.text();
    const got = `sha256:${createHash('sha256').update(text).digest('hex')}`;
    if (statusCode !== 200 || got !== digest) {
      return { problem: `${url}: status ${statusCode}, ${got}, not ${digest}` };
    }
    const config = member(parseLine(text), 'config');
    const size = Number(member(config, 'size'));
    return { config: { digest: stringMember(config, 'digest') ?? '', size } };
  } catch (error) {
    return { problem: `${url}: ${error instanceof Error ? error.message : String(error)}` };
  }
}
