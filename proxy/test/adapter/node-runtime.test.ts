import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { nodeFiles } from '../../src/adapter/node/files.ts';
import { ThreadedHashing } from '../../src/adapter/node/hashing.ts';
import { nodeRuntime } from '../../src/adapter/node/runtime.ts';
import { testRuntime } from '../conformance/runtime.ts';

testRuntime(test, nodeRuntime());

test('open() and makeDirectory() give access to the owner alone', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'mica-files-'));
  await nodeFiles.makeDirectory(join(folder, 'a'));
  await (await nodeFiles.open(join(folder, 'a/created'), 'create')).close();
  await (await nodeFiles.open(join(folder, 'a/updated'), 'update')).close();
  t.is((await stat(join(folder, 'a'))).mode & 0o777, 0o700);
  t.is((await stat(join(folder, 'a/created'))).mode & 0o777, 0o600);
  t.is((await stat(join(folder, 'a/updated'))).mode & 0o777, 0o600);
  await rm(folder, { recursive: true });
});

test('follow() starts a new thread after the threads have ended', async (t) => {
  const hashing = new ThreadedHashing();
  const waiting = hashing.follow('/dev/null', 'sha256');
  const digest = waiting.digest();
  await Promise.all([t.throwsAsync(digest, { code: 'WORKER_ENDED' }), hashing.close()]);
  const followed = hashing.follow('/proc/self/exe', 'sha256');
  followed.extend(4);
  t.is((await followed.digest()).length, 64);
  await hashing.close();
});
