// What every real client is tried with: it pulls real images from empty three times, with nothing
// cached, with everything cached, and with the upstream gone, and what arrived is compared.

import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext, Implementation } from 'ava';
import test from 'ava';
import {
  DEBIAN,
  getImage,
  hasImages,
  IMAGES_STORAGE,
  type ImageContent,
  MULTI,
  sha256,
  TOOLS,
} from '../peers/images.ts';
import { findProgram, isRoot } from '../peers/program.ts';
import { type Registry, startRegistry } from '../peers/registry.ts';
import { type MicaUnderTest, startMica } from '../server-under-test.ts';

/** A client with an empty store of its own. */
export interface Client {
  pull(image: ImageContent): Promise<void>;
  /** Fails the test unless what the client holds is what the upstream has, to the bit. */
  compare(t: ExecutionContext, image: ImageContent): Promise<void>;
  stop(): Promise<void>;
}

/** Where a client finds Mica. */
export interface Mirror {
  /** Base URL. */
  readonly url: string;
  /** `host:port`, as image references have it. */
  readonly host: string;
}

/** Starts a client in an empty folder. */
export type StartClient = (folder: string, mirror: Mirror) => Promise<Client>;

/** `test`, or `test.skip` when the machine lacks a program, the images or the privileges. */
export function testWith(
  ...programs: readonly string[]
): (title: string, run: Implementation<[]>) => void {
  const needed = ['registry', ...programs];
  const canRun = isRoot() && hasImages() && needed.every((name) => findProgram(name) !== undefined);
  return canRun ? test : test.skip;
}

export async function pullThreeTimes(t: ExecutionContext, startClient: StartClient): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'mica-client-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const upstream = await startRegistry(IMAGES_STORAGE);
  t.teardown(() => upstream.stop());
  const images = await Promise.all([DEBIAN, MULTI, TOOLS].map(getImage));
  const round = (title: string, afterwards: () => void): Promise<void> =>
    withMica(t, upstream, join(folder, 'data'), async (mica) => {
      const mirror = { url: mica.url, host: new URL(mica.url).host };
      const client = await startClient(join(folder, title), mirror);
      try {
        for (const image of images) {
          await client.pull(image);
          await client.compare(t, image);
        }
      } finally {
        await client.stop();
      }
      afterwards();
    });

  let asked: readonly string[] = [];
  await round('cold', () => {
    asked = getBlobs(upstream);
    t.true(asked.length > 0);
    t.deepEqual(asked, [...new Set(asked)], 'each blob was fetched once');
  });
  await round('warm', () => t.deepEqual(getBlobs(upstream), asked, 'nothing was fetched again'));
  await upstream.stop();
  await round('offline', () => undefined);
}

/** Runs a server on the data folder while `use` runs; says what it logged when that fails. */
async function withMica(
  t: ExecutionContext,
  upstream: Registry,
  data: string,
  use: (mica: MicaUnderTest) => Promise<void>,
): Promise<void> {
  const mica = await startMica({
    upstreams: { 'docker.io': { url: upstream.url } },
    data,
    // So short that the pulls with the upstream gone find their tags stale.
    config: { tags: { ttl: '1s' } },
  });
  try {
    await use(mica);
  } catch (error) {
    t.log(
      mica
        .log()
        .slice(-30)
        .map((line) => JSON.stringify(line))
        .join('\n'),
      mica.output(),
    );
    await mica.kill();
    throw error;
  }
  await mica.stop();
}

/** Paths of the blobs that were asked for, in order. */
export function getBlobs(registry: Registry): readonly string[] {
  return registry
    .accessLog()
    .filter((entry) => entry.method === 'GET' && entry.path.includes('/blobs/'))
    .map((entry) => entry.path);
}

/** Digests of the files in a folder, by hashing them. */
export async function hashFiles(folder: string): Promise<ReadonlySet<string>> {
  const digests = new Set<string>();
  for (const name of await readdir(folder)) digests.add(sha256(await readFile(join(folder, name))));
  return digests;
}

/** Fails the test unless the folder holds the image's manifest, config and every layer, to the bit. */
export async function compareFiles(
  t: ExecutionContext,
  folder: string,
  image: ImageContent,
): Promise<void> {
  const held = await hashFiles(folder);
  const missing = [image.manifest, image.config, ...image.layers].filter((one) => !held.has(one));
  t.deepEqual(missing, [], `${image.repository}: content that did not arrive as it is`);
}
