import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { open } from 'lmdb';
import { DataFolderError } from '../../src/store/data-folder-error.ts';
import { INDEX_VERSION, openLmdbEnvironment } from '../../src/store/lmdb-environment.ts';
import { type LmdbIndex, openLmdbIndex } from '../../src/store/lmdb-index.ts';
import { digestNumber, type IndexUnderTest, testIndex } from '../conformance/index.ts';

interface OpenedIndex {
  readonly index: LmdbIndex;
  close(): Promise<void>;
}

async function openIndex(folder: string): Promise<OpenedIndex> {
  const environment = await openLmdbEnvironment({ folder });
  const index = openLmdbIndex({ environment });
  return {
    index,
    close: async () => {
      await index.close();
      await environment.close();
    },
  };
}

/** The first lines of a program that uses an index. */
function opening(folder: string): string {
  const moduleOf = (name: string) =>
    JSON.stringify(new URL(`../../src/store/${name}.js`, import.meta.url));
  return `
    const { openLmdbEnvironment } = await import(${moduleOf('lmdb-environment')});
    const { openLmdbIndex } = await import(${moduleOf('lmdb-index')});
    const environment = await openLmdbEnvironment({ folder: ${JSON.stringify(folder)} });
    const index = openLmdbIndex({ environment });`;
}

async function makeLmdbIndex(): Promise<IndexUnderTest> {
  const folder = await mkdtemp(join(tmpdir(), 'mica-index-'));
  let opened = await openIndex(folder);
  return {
    index: opened.index,
    reopen: async () => {
      await opened.close();
      opened = await openIndex(folder);
      return opened.index;
    },
    remove: async () => {
      await opened.close();
      await rm(folder, { recursive: true });
    },
  };
}

testIndex(test, 'LmdbIndex', makeLmdbIndex);

test('close() writes pending touches and may be called twice', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'mica-index-'));
  const { index, close } = await openIndex(folder);
  index.touch(digestNumber(1), 5);
  await Promise.all([index.close(), index.close()]);
  await close();
  const reopened = await openIndex(folder);
  t.is(await reopened.index.getLastUse(digestNumber(1)), 5);
  await reopened.close();
  await rm(folder, { recursive: true });
});

test('a write rejects and the process goes on when the disk is full', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'mica-index-'));
  // A limit of the file's size stands for the disk's: the write fails in the same place.
  const program = `${opening(folder)}
    const codes = new Set();
    for (let round = 0; round < 10; round += 1) {
      const puts = Array.from({ length: 200 }, (_, at) =>
        index.putGrant('repository-' + round, 'x'.repeat(200) + at, 1));
      for (const put of await Promise.allSettled(puts)) codes.add(put.reason?.code ?? 'written');
    }
    const known = await index.getGrant('repository-0', 'x'.repeat(200) + 0);
    await index.close();
    await environment.close();
    process.stdout.write([...codes, known].join(' '));`;
  const command = `ulimit -f 400 && exec "$0" --input-type=module -e "$1"`;
  const run = promisify(execFile)('sh', ['-c', command, process.execPath, program]);
  t.is((await run).stdout, 'written INDEX_NOT_WRITTEN 1');
  await rm(folder, { recursive: true });
});

test('an open index sees what another process writes', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'mica-index-'));
  const { index, close } = await openIndex(folder);
  t.is(await index.getGrant('r.io/a', 'who'), 0);
  const program = `${opening(folder)}
    await index.putGrant('r.io/a', 'who', 5);
    process.kill(process.pid, 'SIGKILL');`;
  // Killed right after the promise resolved: what was promised to be durable must be there.
  await t.throwsAsync(
    promisify(execFile)(process.execPath, ['--input-type=module', '-e', program]),
  );
  t.is(await index.getGrant('r.io/a', 'who'), 5);
  await index.putGrant('r.io/a', 'who', 6);
  t.is(await index.getGrant('r.io/a', 'who'), 6);
  await close();
  await rm(folder, { recursive: true });
});

test('openLmdbEnvironment() rejects when the folder is a file', async (t) => {
  await t.throwsAsync(openLmdbEnvironment({ folder: '/proc/self/status/x' }));
});

test('openLmdbEnvironment() refuses an index of a newer version', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'mica-index-'));
  const environment = await openLmdbEnvironment({ folder });
  const about = environment.openDatabase<number, string>('about');
  await environment.write(() => about.putSync('version', INDEX_VERSION + 1));
  await environment.close();
  const error = await t.throwsAsync(openLmdbEnvironment({ folder }), {
    instanceOf: DataFolderError,
    code: 'DATA_FOLDER_TOO_NEW',
  });
  t.regex(error?.message ?? '', /update Mica/);
  await rm(folder, { recursive: true });
});

test('openLmdbEnvironment() gives an index without a version this one', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'mica-index-'));
  const before = open({ path: folder });
  await before.openDB({ name: 'grants' }).put(['r.io/a', 'who'], 5);
  await before.close();
  const { index, close } = await openIndex(folder);
  t.is(await index.getGrant('r.io/a', 'who'), 5);
  await close();
  const environment = await openLmdbEnvironment({ folder });
  t.is(environment.openDatabase<number, string>('about').get('version'), INDEX_VERSION);
  await environment.close();
  await rm(folder, { recursive: true });
});
