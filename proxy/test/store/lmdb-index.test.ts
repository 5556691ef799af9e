import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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

test('openLmdbIndex() rejects when the folder is a file', async (t) => {
  await t.throwsAsync(openLmdbIndex({ folder: '/proc/self/status/x' }));
});
