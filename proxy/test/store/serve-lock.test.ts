import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { nodeRuntime } from '../../src/adapter/node/runtime.ts';
import { DataFolderError } from '../../src/store/data-folder-error.ts';
import { takeServeLock } from '../../src/store/serve-lock.ts';
import { FakeClock } from '../doubles/fake-clock.ts';

const runtime = nodeRuntime();

async function withFolder(body: (path: string) => Promise<void>): Promise<void> {
  const path = await mkdtemp(join(tmpdir(), 'mica-lock-'));
  try {
    await body(path);
  } finally {
    await rm(path, { recursive: true });
  }
}

async function assertInUse(t: ExecutionContext, folder: string, who: RegExp): Promise<void> {
  const error = await t.throwsAsync(takeServeLock(folder, runtime), {
    instanceOf: DataFolderError,
  });
  t.is(error?.code, 'DATA_FOLDER_IN_USE');
  t.regex(error?.message ?? '', who);
}

test('takeServeLock() refuses a second holder until the first one releases', (t) =>
  withFolder(async (folder) => {
    const lock = await takeServeLock(folder, runtime);
    await assertInUse(t, folder, new RegExp(`in use by process ${process.pid}:`));
    await lock.release();
    await lock.release();
    t.deepEqual(await readdir(folder), []);
    await (await takeServeLock(folder, runtime)).release();
  }));

test('takeServeLock() lets one of many win when they come at once', (t) =>
  withFolder(async (folder) => {
    const results = await Promise.allSettled(
      Array.from({ length: 10 }, () => takeServeLock(folder, runtime)),
    );
    const winners = results.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    t.is(winners.length, 1);
    await winners[0]?.release();
  }));

test('takeServeLock() takes over when the holder was killed', (t) =>
  withFolder(async (folder) => {
    const lockModule = new URL('../../src/store/serve-lock.js', import.meta.url);
    const runtimeModule = new URL('../../src/adapter/node/runtime.js', import.meta.url);
    const program = `
      const { takeServeLock } = await import(${JSON.stringify(lockModule)});
      const { nodeRuntime } = await import(${JSON.stringify(runtimeModule)});
      await takeServeLock(${JSON.stringify(folder)}, nodeRuntime());
      process.stdout.write('held');`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    await assertInUse(t, folder, new RegExp(`process ${child.pid}`));
    child.kill('SIGKILL');
    await once(child, 'exit');
    await (await takeServeLock(folder, runtime)).release();
    t.pass();
  }));

test('takeServeLock() takes over when the process id belongs to another process by now', (t) =>
  withFolder(async (folder) => {
    const lock = await takeServeLock(folder, runtime);
    const text = await readFile(join(folder, 'serve.lock'), 'utf8');
    await lock.release();
    const lines = text.split('\n');
    lines[3] = '1';
    await writeFile(join(folder, 'serve.lock'), lines.join('\n'));
    await (await takeServeLock(folder, runtime)).release();
    t.pass();
  }));

test("takeServeLock() respects another host's lock until it is no longer renewed", (t) =>
  withFolder(async (folder) => {
    await writeFile(join(folder, 'serve.lock'), 'elsewhere\nboot\n1\n100\n');
    await assertInUse(t, folder, /process 1 on elsewhere/);
    const clock = new FakeClock(Date.now() + 21_000);
    const lock = await takeServeLock(folder, { ...runtime, clock });
    await lock.release();
  }));

test('release() leaves a lock that another host took meanwhile', (t) =>
  withFolder(async (folder) => {
    const lock = await takeServeLock(folder, runtime);
    const path = join(folder, 'serve.lock');
    await rm(path);
    await writeFile(path, 'elsewhere\nboot\n1\n100\n');
    await lock.release();
    t.regex(await readFile(path, 'utf8'), /^elsewhere/);
  }));
