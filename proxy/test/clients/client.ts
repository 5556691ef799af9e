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
import { type Mica, startMica, tail } from '../peers/mica.ts';
import { findProgram, isRoot } from '../peers/program.ts';
import { type Registry, startRegistry } from '../peers/registry.ts';

/** A client with an empty store of its own. */
export interface Client {
  pull(image: ImageContent): Promise<void>;
  /** Fails the test unless what the client holds is what the upstream has, to the bit. */
  compare(t: ExecutionContext, image: ImageContent): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a client in an empty folder. */
export type StartClient = (folder: string, mica: Mica) => Promise<Client>;

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
  const options = {
    folder,
    upstreams: { 'docker.io': upstream.url },
    // So short that the pulls with the upstream gone find their tags stale.
    tagsTtl: '1s',
  };
  const images = await Promise.all([DEBIAN, MULTI, TOOLS].map(getImage));
  const round = async (title: string, mica: Mica): Promise<void> => {
    const client = await startClient(join(folder, title), mica);
    try {
      for (const image of images) {
        await client.pull(image);
        await client.compare(t, image);
      }
    } catch (error) {
      t.log(`${title}: the server's last lines:\n${tail(mica.program)}`);
      throw error;
    } finally {
      await client.stop();
    }
  };

  const mica = await startMica(options);
  t.teardown(() => mica.stop());
  await round('cold', mica);
  const asked = getBlobs(upstream);
  t.deepEqual(asked, [...new Set(asked)], 'each blob was fetched once');
  await round('warm', mica);
  t.deepEqual(getBlobs(upstream), asked, 'nothing was fetched again');

  await upstream.stop();
  await mica.stop();
  const restarted = await startMica(options);
  t.teardown(() => restarted.stop());
  await round('offline', restarted);
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
