// A data folder on a disk that is too small or full: pulls go on, storing comes back with the space.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { GRACE_MS } from '../../src/store/evict.ts';
import { type MicaUnderTest, startMica } from '../server-under-test.ts';
import type { Image } from '../upstream-double/content.ts';
import { type Registry, startRegistry } from '../upstream-double/registry.ts';
import { CommittedBlobs } from './committed-blobs.ts';
import { pull } from './pull.ts';
import { findMountProblem, openSmallDisk, type SmallDisk } from './small-disk.ts';

const MIB = 1024 * 1024;
const DISK_SIZE = 48 * MIB;
const REPOSITORY = 'site/disk';

const problem = await findMountProblem();
if (problem !== undefined) console.log(`# no small disk: ${problem}`);
const testOnDisk = problem === undefined ? test.serial : test.serial.skip;

interface Setting {
  readonly upstream: Registry;
  readonly disk: SmallDisk;
  readonly mica: MicaUnderTest;
}

async function openSetting(t: ExecutionContext): Promise<Setting> {
  const upstream = await startRegistry();
  t.teardown(() => upstream.close());
  const disk = await openSmallDisk(DISK_SIZE);
  t.teardown(() => disk.close());
  return { upstream, disk, mica: await startOn(t, upstream, disk) };
}

async function startOn(
  t: ExecutionContext,
  upstream: Registry,
  disk: SmallDisk,
): Promise<MicaUnderTest> {
  const mica = await startMica({
    upstreams: { 'docker.io': { url: upstream.url } },
    data: join(disk.path, 'data'),
    config: { quota: '80%' },
  });
  let isRunning = true;
  mica.exited.then(
    () => {
      isRunning = false;
    },
    () => undefined,
  );
  // Before the disk goes: teardowns run last first.
  t.teardown(async () => {
    if (isRunning) await mica.stop();
  });
  return mica;
}

/** Starts a server whose clock is so far ahead. */
async function startAhead(
  t: ExecutionContext,
  upstream: Registry,
  disk: SmallDisk,
  aheadMs: number,
): Promise<MicaUnderTest> {
  const file = join(disk.path, 'ahead.mjs');
  await writeFile(file, `const now = Date.now; Date.now = () => now() + ${aheadMs};\n`);
  const before = process.env['NODE_OPTIONS'] ?? '';
  process.env['NODE_OPTIONS'] = `${before} --import ${pathToFileURL(file).href}`;
  try {
    return await startOn(t, upstream, disk);
  } finally {
    process.env['NODE_OPTIONS'] = before;
  }
}

function putImage(upstream: Registry, seed: string, ...layers: readonly number[]): Image {
  return upstream.putImage({ repository: REPOSITORY, tag: seed, seed, layers });
}

/** Pulls an image's manifest, config and layers and fails unless each came whole. */
async function pullImage(t: ExecutionContext, mica: MicaUnderTest, image: Image): Promise<void> {
  const base = `${mica.url}/v2/${REPOSITORY}`;
  const { digest } = image.manifest;
  t.is(await pull(`${base}/manifests/${digest}`, digest), 'whole', 'the manifest');
  const blobs = [image.config, ...image.layers];
  const outcomes = await Promise.all(
    blobs.map((blob) => pull(`${base}/blobs/${blob.digest}`, blob.digest)),
  );
  t.deepEqual(
    outcomes,
    blobs.map(() => 'whole'),
  );
}

async function isHealthy(mica: MicaUnderTest): Promise<boolean> {
  const response = await fetch(`${mica.admin}/healthz`);
  await response.body?.cancel();
  return response.ok;
}

/** Whether pulling again costs the upstream no blob. */
async function isStored(t: ExecutionContext, setting: Setting, image: Image): Promise<boolean> {
  const before = setting.upstream.count('/blobs/', 'GET');
  await pullImage(t, setting.mica, image);
  return setting.upstream.count('/blobs/', 'GET') === before;
}

async function checkBlobs(t: ExecutionContext, disk: SmallDisk): Promise<void> {
  const committed = new CommittedBlobs(join(disk.path, 'data'));
  t.deepEqual(await committed.check(), []);
}

testOnDisk('a layer larger than the disk is served whole, and the server goes on', async (t) => {
  const setting = await openSetting(t);
  const { upstream, mica, disk } = setting;
  const small = putImage(upstream, 'small', 100_000);
  await pullImage(t, mica, small);
  const huge = putImage(upstream, 'huge', 64 * MIB);
  await pullImage(t, mica, huge);
  await pullImage(t, mica, huge);
  t.true(await isHealthy(mica));
  const later = putImage(upstream, 'later', 100_000);
  await pullImage(t, mica, later);
  t.true(await isStored(t, setting, later));
  await checkBlobs(t, disk);
});

testOnDisk('images that do not fit together are all served, and old ones make room', async (t) => {
  const setting = await openSetting(t);
  const { upstream, mica, disk } = setting;
  const images = Array.from({ length: 12 }, (_, number) =>
    putImage(upstream, `image-${number}`, 4 * MIB, 2 * MIB),
  );
  // Three at a time, so that fills compete for what is left.
  for (let first = 0; first < images.length; first += 3)
    await Promise.all(images.slice(first, first + 3).map((image) => pullImage(t, mica, image)));
  t.true(await isHealthy(mica));
  await checkBlobs(t, disk);
  await mica.stop();

  // Nothing younger than the grace period is evicted, so the clock of this one is ahead.
  const later = await startAhead(t, upstream, disk, GRACE_MS + 60_000);
  const latest = putImage(upstream, 'latest', 4 * MIB, 2 * MIB);
  await pullImage(t, later, latest);
  t.true(await isStored(t, { ...setting, mica: later }, latest));
  // It may still be making room.
  await later.stop();
  await checkBlobs(t, disk);
});

testOnDisk(
  'pulls go on when other files fill the disk, and storing resumes when they go',
  async (t) => {
    const setting = await openSetting(t);
    const { upstream, mica, disk } = setting;
    const before = putImage(upstream, 'before', 4 * MIB);
    await pullImage(t, mica, before);

    await disk.fill(0);
    t.log(`${await disk.freeBytes()} bytes free`);
    const during = putImage(upstream, 'during', 4 * MIB, 100_000);
    await pullImage(t, mica, during);
    await pullImage(t, mica, during);
    await pullImage(t, mica, before);
    t.true(await isHealthy(mica));

    await disk.empty();
    await pullImage(t, mica, during);
    t.true(await isStored(t, setting, during));
    await checkBlobs(t, disk);
  },
);

testOnDisk('a disk that fills while layers are being stored takes no pull with it', async (t) => {
  const { upstream, mica, disk } = await openSetting(t);
  let fillNow: () => void = () => undefined;
  const filled = new Promise<void>((resolve) => {
    fillNow = resolve;
  });
  upstream.faults.add({
    path: '/blobs/',
    method: 'GET',
    times: 2,
    fault: { kind: 'hold', after: MIB, until: filled },
  });
  const image = putImage(upstream, 'midway', 8 * MIB, 8 * MIB);
  const pulled = pullImage(t, mica, image);
  await upstream.waitUntil(() => upstream.bytesSent('/blobs/') >= 2 * MIB);
  await disk.fill(0);
  fillNow();
  await pulled;
  t.true(await isHealthy(mica));
  await disk.empty();
  await pullImage(t, mica, image);
  await checkBlobs(t, disk);
});

testOnDisk(
  'a server starts on a full disk and serves what it has and what it has not',
  async (t) => {
    const { upstream, mica, disk } = await openSetting(t);
    const stored = putImage(upstream, 'stored', 4 * MIB);
    await pullImage(t, mica, stored);
    await mica.stop();
    await disk.fill(0);
    const restarted = await startOn(t, upstream, disk);
    await pullImage(t, restarted, stored);
    await pullImage(t, restarted, putImage(upstream, 'fresh', 4 * MIB));
    t.true(await isHealthy(restarted));
    await checkBlobs(t, disk);
  },
);
