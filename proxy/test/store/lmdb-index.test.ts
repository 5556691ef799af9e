import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { openLmdbIndex } from '../../src/store/lmdb-index.ts';
import { digestNumber, type IndexUnderTest, testIndex } from '../conformance/index.ts';

async function makeLmdbIndex(): Promise<IndexUnderTest> {
  const folder = await mkdtemp(join(tmpdir(), 'mica-index-'));
  let index = await openLmdbIndex({ folder });
  return {
    index,
    reopen: async () => {
      await index.close();
      index = await openLmdbIndex({ folder });
      return index;
    },
    remove: async () => {
      await index.close();
      await rm(folder, { recursive: true });
    },
  };
}

testIndex(test, 'LmdbIndex', makeLmdbIndex);

test('close() writes pending touches and may be called twice', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'mica-index-'));
  const index = await openLmdbIndex({ folder });
  index.touch(digestNumber(1), 5);
  await Promise.all([index.close(), index.close()]);
  const reopened = await openLmdbIndex({ folder });
  t.is(await reopened.getLastUse(digestNumber(1)), 5);
  await reopened.close();
  await rm(folder, { recursive: true });
});

test('a write rejects and the process goes on when the disk is full', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'mica-index-'));
  const lmdbModule = new URL('../../src/store/lmdb-index.js', import.meta.url);
  // A limit of the file's size stands for the disk's: the write fails in the same place.
  const program = `
    const { openLmdbIndex } = await import(${JSON.stringify(lmdbModule)});
    const index = await openLmdbIndex({ folder: ${JSON.stringify(folder)} });
    const codes = new Set();
    for (let round = 0; round < 10; round += 1) {
      const puts = Array.from({ length: 200 }, (_, at) =>
        index.putGrant('repository-' + round, 'x'.repeat(200) + at, 1));
      for (const put of await Promise.allSettled(puts)) codes.add(put.reason?.code ?? 'written');
    }
    const known = await index.getGrant('repository-0', 'x'.repeat(200) + 0);
    await index.close();
    process.stdout.write([...codes, known].join(' '));`;
  const command = `ulimit -f 400 && exec "$0" --input-type=module -e "$1"`;
  const run = promisify(execFile)('sh', ['-c', command, process.execPath, program]);
  t.is((await run).stdout, 'written INDEX_NOT_WRITTEN 1');
  await rm(folder, { recursive: true });
});

test('an open index sees what another process writes', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'mica-index-'));
  const index = await openLmdbIndex({ folder });
  t.is(await index.getGrant('r.io/a', 'who'), 0);
  const lmdbModule = new URL('../../src/store/lmdb-index.js', import.meta.url);
  const program = `
    const { openLmdbIndex } = await import(${JSON.stringify(lmdbModule)});
    const index = await openLmdbIndex({ folder: ${JSON.stringify(folder)} });
    await index.putGrant('r.io/a', 'who', 5);
    process.kill(process.pid, 'SIGKILL');`;
  // Killed right after the promise resolved: what was promised to be durable must be there.
  await t.throwsAsync(
    promisify(execFile)(process.execPath, ['--input-type=module', '-e', program]),
  );
  t.is(await index.getGrant('r.io/a', 'who'), 5);
  await index.putGrant('r.io/a', 'who', 6);
  t.is(await index.getGrant('r.io/a', 'who'), 6);
  await index.close();
  await rm(folder, { recursive: true });
});

test('openLmdbIndex() rejects when the folder is a file', async (t) => {
  await t.throwsAsync(openLmdbIndex({ folder: '/proc/self/status/x' }));
});
