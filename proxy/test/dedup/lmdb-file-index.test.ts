import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import type { FileIndex } from '../../src/dedup/file-index.ts';
import { type LmdbFileIndex, openLmdbFileIndex } from '../../src/dedup/lmdb-file-index.ts';
import { type LmdbEnvironment, openLmdbEnvironment } from '../../src/store/lmdb-environment.ts';
import { type FileIndexUnderTest, testFileIndex } from '../conformance/file-index.ts';
import {
  appendTo,
  bringLayer,
  type Everything,
  everything,
  idsOf,
  numbersOf,
  recipeOf,
  sizeOf,
  sizesOf,
} from '../conformance/file-index-samples.ts';
import { digestNumber } from '../conformance/index.ts';
import { recount } from './recount.ts';

/** After it, what was begun at 0 is abandoned. */
const LATER_MS = 3_600_000;

interface Opened {
  readonly environment: LmdbEnvironment;
  readonly index: LmdbFileIndex;
  close(): Promise<void>;
}

interface OpenOptions {
  readonly sliceLength?: number;
  readonly nowMs?: number;
}

async function openIndex(folder: string, options: OpenOptions = {}): Promise<Opened> {
  const { nowMs = 0, ...slices } = options;
  const environment = await openLmdbEnvironment({ folder });
  const index = openLmdbFileIndex({ environment, now: () => nowMs, ...slices });
  return {
    environment,
    index,
    close: async () => {
      await index.close();
      await environment.close();
    },
  };
}

function makeFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'mica-file-index-'));
}

async function makeIndex(options: OpenOptions = {}): Promise<FileIndexUnderTest> {
  const folder = await makeFolder();
  let opened = await openIndex(folder, options);
  return {
    index: opened.index,
    reopen: async () => {
      await opened.close();
      opened = await openIndex(folder, options);
      return opened.index;
    },
    remove: async () => {
      const miscounts = await opened.index.recount(false);
      const problems = [
        ...recount(opened.environment),
        ...miscounts.map((miscount) => JSON.stringify(miscount)),
      ];
      await opened.close();
      await rm(folder, { recursive: true });
      if (problems.length > 0) throw new Error(problems.join('\n'));
    },
  };
}

// Each test ends with counting everything anew.
testFileIndex(test, 'LmdbFileIndex', () => makeIndex());
testFileIndex(test, 'LmdbFileIndex in small slices', () => makeIndex({ sliceLength: 4 }));

class Killed extends Error {}

/** Makes an index whose process dies before its `writes`-th write from now on. */
function killAfter(environment: LmdbEnvironment, writes: number): void {
  const write = environment.write.bind(environment);
  let left = writes;
  environment.write = (change) => {
    left -= 1;
    return left < 0 ? Promise.reject(new Killed()) : write(change);
  };
}

const [first, second] = [digestNumber(1), digestNumber(2)];
const FILES = Array.from({ length: 15 }, (_, at) => at);

/** Fills an index with a layer, seals its pack, and opens another one. */
async function prepare(folder: string): Promise<Everything> {
  const { index, close } = await openIndex(folder, { sliceLength: 2 });
  await bringLayer(index, { digest: first, files: [1, 2, 2, 3, 4, 5, 6, 7], owner: 'a' });
  await index.sealPack(1);
  await index.openPack('b');
  const before = await everything(index);
  await close();
  return before;
}

/**
 * Does something in slices of two files, and dies before each of its writes in turn; then looks at what
 * another process finds later, until it was done without dying. Gives how often it died.
 */
async function dieEverywhere(
  t: ExecutionContext,
  act: (index: FileIndex) => Promise<boolean>,
  check: (index: FileIndex, before: Everything) => Promise<void>,
): Promise<number> {
  for (let writes = 0; ; writes += 1) {
    const folder = await makeFolder();
    const before = await prepare(folder);
    const dying = await openIndex(folder, { sliceLength: 2 });
    killAfter(dying.environment, writes);
    const result = await act(dying.index).catch((error: unknown) => {
      if (error instanceof Killed) return 'killed';
      throw error;
    });
    t.deepEqual(recount(dying.environment), [], `${writes} writes`);
    await dying.close();
    const { environment, index, close } = await openIndex(folder, { nowMs: LATER_MS });
    t.is(await index.claim('c', 1, 2), undefined);
    t.deepEqual(recount(environment), [], `${writes} writes, later`);
    if (result === 'killed') await check(index, before);
    await close();
    await rm(folder, { recursive: true });
    if (result === 'killed') continue;
    t.true(result);
    return writes;
  }
}

test('a commit that dies leaves no reference, and can be done again', async (t) => {
  const commit = async (index: FileIndex) => {
    const pack = await index.getPack(2);
    if (pack === undefined) return false;
    const { missing } = await index.locate(idsOf(FILES));
    return index.commitLayer({
      digest: second,
      record: recipeOf(FILES),
      ids: idsOf(FILES),
      sizes: sizesOf(FILES),
      appended: [appendTo(pack, [...missing])],
    });
  };
  const died = await dieEverywhere(t, commit, async (index, before) => {
    t.deepEqual((await index.totals()).files, before.totals.files);
    t.deepEqual((await index.totals()).layers, before.totals.layers);
    t.is(await index.getLayer(second), undefined);
    t.deepEqual(numbersOf(await index.filesIn(2)), []);
    t.true(await commit(index));
  });
  t.is(died, 8);
});

test('a removal that dies removes the layer as a whole, or nothing', async (t) => {
  const remove = (index: FileIndex) => index.removeLayer(first);
  const died = await dieEverywhere(t, remove, async (index, before) => {
    if ((await index.getLayer(first)) !== undefined) {
      t.deepEqual(await everything(index), before);
      return;
    }
    t.is((await index.totals()).files.unique, 0);
    t.true(await index.removePack(1));
  });
  t.is(died, 4);
});

test('a move that dies leaves each file in one pack', async (t) => {
  const files = [1, 2, 3, 4, 5, 6, 7];
  const move = async (index: FileIndex) => {
    const pack = await index.getPack(2);
    if (pack === undefined) return false;
    return index.moveFiles(1, idsOf(files), sizesOf(files), appendTo(pack, [...files.keys()]));
  };
  const died = await dieEverywhere(t, move, async (index) => {
    const [old, copied] = [await index.filesIn(1), await index.filesIn(2)];
    t.deepEqual(
      [...numbersOf(old), ...numbersOf(copied)].toSorted((a, b) => a - b),
      files,
    );
    t.true(await move(index));
    t.true(await index.removePack(1));
    const size = files.reduce((sum, file) => sum + sizeOf(file), 0);
    t.is((await index.getPack(2))?.liveSize, size);
  });
  t.is(died, 4);
});

test('a commit ends with false when another process gave its references up', async (t) => {
  const folder = await makeFolder();
  await prepare(folder);
  const slow = await openIndex(folder, { sliceLength: 2 });
  const write = slow.environment.write.bind(slow.environment);
  let writes = 0;
  slow.environment.write = async (change) => {
    writes += 1;
    // As if its clock had stood still for an hour.
    if (writes === 4) {
      const tidying = openLmdbFileIndex({ environment: slow.environment, now: () => LATER_MS });
      await tidying.claim('c', 1, 2);
    }
    return write(change);
  };
  t.false(await bringLayer(slow.index, { digest: second, files: FILES, owner: 'b' }));
  t.deepEqual(recount(slow.environment), []);
  t.deepEqual(numbersOf(await slow.index.filesIn(2)), []);
  t.true(await bringLayer(slow.index, { digest: second, files: FILES, owner: 'b' }));
  await slow.close();
  await rm(folder, { recursive: true });
});

/** The first lines of a program that uses an index. */
function opening(folder: string): string {
  const moduleOf = (path: string) => JSON.stringify(new URL(path, import.meta.url));
  return `
    const { openLmdbEnvironment } = await import(${moduleOf('../../src/store/lmdb-environment.js')});
    const { openLmdbFileIndex } = await import(${moduleOf('../../src/dedup/lmdb-file-index.js')});
    const { bringLayer } = await import(${moduleOf('../conformance/file-index-samples.js')});
    const { digestNumber } = await import(${moduleOf('../conformance/index.js')});
    const environment = await openLmdbEnvironment({ folder: ${JSON.stringify(folder)} });
    const index = openLmdbFileIndex({ environment, now: () => 0, sliceLength: 50 });`;
}

test('of two processes that claim layers at the same time each gets its own', async (t) => {
  const folder = await makeFolder();
  const { index, close } = await openIndex(folder);
  const digests = Array.from({ length: 200 }, (_, at) => digestNumber(100 + at));
  await Promise.all(digests.map((digest) => index.enqueue(digest, 1)));
  const program = `${opening(folder)}
    for (let entry; (entry = await index.claim('child', 10, 20)) !== undefined; )
      process.stdout.write(entry.digest + ' ');
    await environment.close();`;
  const child = promisify(execFile)(process.execPath, ['--input-type=module', '-e', program]);
  const own: string[] = [];
  let isRunning = true;
  const ended = child.finally(() => {
    isRunning = false;
  });
  while (isRunning) {
    const entry = await index.claim('parent', 10, 20);
    if (entry === undefined) break;
    own.push(entry.digest);
  }
  const others = (await ended).stdout.trim().split(' ').filter(Boolean);
  t.is(own.length + others.length, digests.length);
  const claimed = new Set([...own, ...others]);
  t.true(digests.every((digest) => claimed.has(digest)));
  await close();
  await rm(folder, { recursive: true });
});

test('a commit rejects when the disk is full, and its references are given up later', async (t) => {
  const folder = await makeFolder();
  // A limit of the file's size stands for the disk's: the write fails in the same place.
  const program = `${opening(folder)}
    const codes = new Set();
    for (let layer = 1; layer < 40; layer += 1) {
      const files = Array.from({ length: 200 }, (_, at) => layer * 200 + at);
      const bringing = { digest: digestNumber(layer), files, owner: 'a' };
      codes.add(await bringLayer(index, bringing).catch((error) => error.code));
    }
    await environment.close();
    process.stdout.write([...codes].join(' '));`;
  const command = `ulimit -f 1000 && exec "$0" --input-type=module -e "$1"`;
  const run = promisify(execFile)('sh', ['-c', command, process.execPath, program]);
  t.is((await run).stdout, 'true INDEX_NOT_WRITTEN');
  const { environment, index, close } = await openIndex(folder, { nowMs: LATER_MS });
  t.deepEqual(recount(environment), []);
  await index.claim('c', 1, 2);
  t.deepEqual(recount(environment), []);
  t.is((await index.totals()).files.unique, 200 * (await index.totals()).layers.recipes);
  await close();
  await rm(folder, { recursive: true });
});
