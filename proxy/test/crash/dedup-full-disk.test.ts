// A disk that gets full while a layer is taken apart: the layer stays whole and is served, and is taken
// apart once there is room again. And one that gets full or read-only while packs are copied.

import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { nodeRuntime } from '../../src/adapter/node/runtime.ts';
import { ingestLayer } from '../../src/dedup/ingest-layer.ts';
import { loadTierCore } from '../../src/dedup/load-tier-core.ts';
import { openTier } from '../../src/dedup/open-tier.ts';
import type { Log } from '../../src/log.ts';
import type { Digest } from '../../src/oci/digest.ts';
import { BlobPaths } from '../../src/store/blob-paths.ts';
import { openDataFolder } from '../../src/store/data-folder.ts';
import { digestBytes, makeBytes, readAll } from '../conformance/blob-store.ts';
import { makeFiles, makeTar, sameBytes } from '../dedup/layers.ts';
import { MemoryLog, quietLog } from '../doubles/quiet-log.ts';
import { findMountProblem, openSmallDisk } from './small-disk.ts';

const MIB = 1024 * 1024;
const DISK_SIZE = 48 * MIB;

/** What is left when the layer is taken apart: nothing at first, enough at last. */
const LEFT = [0, 128 * 1024, 512 * 1024, 1 * MIB, 2 * MIB, 3 * MIB, 4 * MIB, 5 * MIB];

const problem = await findMountProblem();
if (problem !== undefined) console.log(`# no small disk: ${problem}`);
const testOnDisk = problem === undefined ? test.serial : test.serial.skip;

const runtime = nodeRuntime();
const core = await loadTierCore(runtime, 'auto', quietLog);
const observer = {
  damaged: () => undefined,
  ingested: () => undefined,
  restored: () => undefined,
};

async function openOn(path: string, log: Log = quietLog) {
  const folder = await openDataFolder({ path, runtime });
  const tier = await openTier({ folder, runtime, log, core, observer });
  const { packs, recipes } = tier;
  const ingest = (digest: Digest) => {
    if (core === undefined) throw new Error('the core does not load');
    return ingestLayer(
      { core: core.ingest, index: folder.files, packs, recipes, clock: runtime.clock },
      {
        digest,
        path: new BlobPaths(path).blob(digest),
        packOwner: 'test',
        signal: new AbortController().signal,
      },
    );
  };
  const close = async () => {
    await tier.close();
    await folder.close();
  };
  return { folder, tier, ingest, close };
}

async function isServed(
  t: ExecutionContext,
  { tier }: Awaited<ReturnType<typeof openOn>>,
  layers: ReadonlyMap<Digest, Uint8Array>,
  message: string,
): Promise<void> {
  for (const [digest, layer] of layers) {
    const source = await tier.store.open(digest);
    sameBytes(t, source && (await readAll(source)), layer, message);
    source?.close();
  }
}

testOnDisk('a full disk in any phase of an ingest costs no layer', async (t) => {
  const disk = await openSmallDisk(DISK_SIZE);
  t.teardown(() => disk.close());
  const path = `${disk.path}/data`;
  const before = makeTar(makeFiles(20, 1));
  const layer = makeTar([...makeFiles(20, 1), makeBytes(3 * MIB)]);
  const layers = new Map([before, layer].map((bytes) => [digestBytes(bytes) as Digest, bytes]));
  const [first, second] = [...layers.keys()] as [Digest, Digest];
  let opened = await openOn(path);
  for (const [digest, bytes] of layers) await opened.folder.blobs.put(digest, bytes);
  await opened.ingest(first);
  await opened.folder.blobs.remove(first);
  let refused = 0;
  for (const left of LEFT) {
    await disk.fill(left);
    const outcome = await opened.ingest(second).catch((error: unknown) => error);
    if (outcome instanceof Error) refused += 1;
    await isServed(t, opened, layers, `${left} bytes left: ${String(outcome)}`);
    await opened.close();
    await disk.empty();
    opened = await openOn(path);
    await isServed(t, opened, layers, `after ${left} bytes left`);
    if ((await opened.folder.files.getLayer(second)) !== undefined) break;
  }
  t.true(refused >= 3, `the disk was full ${refused} times`);
  t.is((await opened.ingest(second)).kind, 'recipe');
  await opened.folder.blobs.remove(second);
  await isServed(t, opened, layers, 'with room');
  await opened.close();
});

/** A pack of which little is needed, by a layer that is only a recipe. */
async function makeSparse(
  t: ExecutionContext,
  { folder, tier, ingest }: Awaited<ReturnType<typeof openOn>>,
): Promise<Map<Digest, Uint8Array>> {
  const kept = makeTar(makeFiles(20, 1));
  const large = makeTar([makeBytes(3 * MIB)]);
  for (const bytes of [kept, large]) {
    const digest = digestBytes(bytes) as Digest;
    await folder.blobs.put(digest, bytes);
    t.is((await ingest(digest)).kind, 'recipe');
    await folder.blobs.remove(digest);
  }
  await tier.store.remove(digestBytes(large) as Digest);
  return new Map([[digestBytes(kept) as Digest, kept]]);
}

/** What is left when packs are copied: nothing, then too little for the copy, then enough. */
const LEFT_TO_COPY = [0, 64 * 1024, 192 * 1024, 8 * MIB];

testOnDisk(
  'a full disk while packs are copied costs no layer, and it is done when there is room',
  async (t) => {
    const disk = await openSmallDisk(DISK_SIZE);
    t.teardown(() => disk.close());
    const path = `${disk.path}/data`;
    let opened = await openOn(path);
    const layers = await makeSparse(t, opened);
    const live = async () => (await opened.folder.files.getPack(1))?.liveSize;
    t.true(Number(await live()) > 0);
    let refused = 0;
    for (const left of LEFT_TO_COPY) {
      await disk.fill(left);
      await opened.tier.collect();
      await isServed(t, opened, layers, `${left} bytes left`);
      if (await live()) refused += 1;
      await opened.close();
      await disk.empty();
      opened = await openOn(path);
      await isServed(t, opened, layers, `after ${left} bytes left`);
    }
    t.true(refused >= 1, `the disk was full ${refused} times`);
    t.is(await opened.folder.files.getPack(1), undefined, 'its room is given back');
    t.deepEqual(await opened.folder.files.recount(false), []);
    await opened.close();
  },
);

testOnDisk(
  'packs on a disk that is read-only stay as they are and are served, and are copied later',
  async (t) => {
    const disk = await openSmallDisk(DISK_SIZE);
    t.teardown(() => disk.close());
    // The index keeps its file open to be written, so that only packs can be on this disk.
    const path = await mkdtemp(join(tmpdir(), 'mica-read-only-'));
    t.teardown(() => rm(path, { recursive: true, force: true }));
    await mkdir(`${disk.path}/packs`);
    await symlink(`${disk.path}/packs`, `${path}/packs`);
    const log = new MemoryLog();
    const opened = await openOn(path, log);
    const layers = await makeSparse(t, opened);
    const isSparse = async () => (await opened.folder.files.getPack(1)) !== undefined;
    await disk.setReadOnly(true);
    for (const round of [1, 2]) {
      await opened.tier.collect();
      await isServed(t, opened, layers, `read-only, round ${round}`);
      t.true(await isSparse());
    }
    const told = log.entries.filter(({ level }) => level === 'error');
    t.is(told.length, 2);
    for (const { message, fields } of told) {
      t.regex(message, /could not be compacted; nothing is lost/);
      t.like(fields, { err: { code: 'TARGET_PACK', cause: { code: 'EROFS' } } });
    }
    await disk.setReadOnly(false);
    await opened.tier.collect();
    t.false(await isSparse());
    await isServed(t, opened, layers, 'writable');
    t.deepEqual(await opened.folder.files.recount(false), []);
    await opened.close();
  },
);
