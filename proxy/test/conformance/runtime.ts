// What every Runtime does, as one suite.

import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext, TestFn } from 'ava';
import type { Runtime } from '../../src/runtime/runtime.ts';
import { makeBytes } from './blob-store.ts';

type Check = (title: string, body: (t: ExecutionContext, folder: string) => Promise<void>) => void;

/** Declares the suite for a runtime. */
export function testRuntime(test: TestFn, runtime: Runtime): void {
  const check: Check = (title, body) =>
    test(title, async (t) => {
      const folder = await mkdtemp(join(tmpdir(), 'mica-runtime-'));
      try {
        await body(t, folder);
      } finally {
        await rm(folder, { recursive: true });
      }
    });
  testOpenFiles(check, runtime);
  testNames(check, runtime);
  testHashing(check, runtime);
  testClock(test, runtime);
}

function testOpenFiles(check: Check, { files }: Runtime): void {
  check('open() update keeps what is there, create empties it', async (t, folder) => {
    const path = join(folder, 'file');
    const bytes = makeBytes(100);
    const buffer = new Uint8Array(200);
    for (const [mode, size] of [
      ['update', 100],
      ['update', 100],
      ['create', 0],
    ] as const) {
      const file = await files.open(path, mode);
      if (mode === 'update') await file.write(bytes, 0);
      t.is(await file.size(), size);
      t.is(await file.read(buffer, 0), size);
      await file.sync();
      await file.close();
    }
  });

  check('write() and read() name their position', async (t, folder) => {
    const file = await files.open(join(folder, 'file'), 'update');
    await file.write(new Uint8Array([1, 2, 3]), 2);
    await file.write(new Uint8Array([9]), 3);
    const buffer = new Uint8Array(10);
    t.is(await file.read(buffer, 0), 5);
    t.deepEqual([...buffer.subarray(0, 5)], [0, 0, 1, 9, 3]);
    t.is(await file.read(buffer.subarray(0, 2), 3), 2);
    t.is(await file.read(buffer, 5), 0);
    await file.truncate(3);
    t.is(await file.size(), 3);
    await file.close();
  });

  check('open() rejects with ENOENT when there is no file to read', async (t, folder) => {
    await t.throwsAsync(files.open(join(folder, 'absent'), 'read'), { code: 'ENOENT' });
    await t.throwsAsync(files.open(join(folder, 'absent/x'), 'update'), { code: 'ENOENT' });
  });
}

function testNames(check: Check, { files }: Runtime): void {
  const make = async (path: string): Promise<void> => {
    const file = await files.open(path, 'create');
    await file.write(new TextEncoder().encode(path), 0);
    await file.close();
  };

  check('stat() tells files from folders and from nothing', async (t, folder) => {
    const path = join(folder, 'file');
    await make(path);
    const status = await files.stat(path);
    t.is(status?.kind, 'file');
    t.is(status?.size, path.length);
    t.true((status?.allocated ?? 0) >= path.length);
    t.true((status?.modifiedMs ?? 0) > 0);
    t.is((await files.stat(folder))?.kind, 'directory');
    t.is(await files.stat(join(folder, 'absent')), undefined);
    t.is(await files.stat(join(path, 'below-a-file')), undefined);
  });

  check('link() rejects with EEXIST, rename() replaces', async (t, folder) => {
    const [one, other] = [join(folder, 'one'), join(folder, 'other')];
    await make(one);
    await files.link(one, other);
    t.is(await files.readText(other), one);
    await make(join(folder, 'third'));
    await t.throwsAsync(files.link(join(folder, 'third'), other), { code: 'EEXIST' });
    await files.rename(join(folder, 'third'), other);
    t.is(await files.readText(other), join(folder, 'third'));
  });

  check('makeDirectory() makes parents and is content when all is there', async (t, folder) => {
    const path = join(folder, 'a/b/c');
    await files.makeDirectory(path);
    await files.makeDirectory(path);
    await files.syncDirectory(path);
    t.deepEqual(await files.list(join(folder, 'a')), ['b']);
    await t.throwsAsync(files.removeDirectory(join(folder, 'a')), { code: 'ENOTEMPTY' });
    await files.removeDirectory(path);
    t.is(await files.stat(path), undefined);
    await t.throwsAsync(files.list(path), { code: 'ENOENT' });
  });

  check('remove() removes a file and is content when it is absent', async (t, folder) => {
    const path = join(folder, 'file');
    await make(path);
    await files.remove(path);
    await files.remove(path);
    t.is(await files.stat(path), undefined);
  });

  check('space() gives the size of the file system and what is free', async (t, folder) => {
    const space = await files.space(folder);
    t.true(space.size > 0 && space.free > 0 && space.free <= space.size);
  });
}

function testHashing(check: Check, { files, hashing }: Runtime): void {
  const large = makeBytes(3_000_000);

  for (const algorithm of ['sha256', 'sha512'] as const) {
    const expected = (bytes: Uint8Array): string =>
      createHash(algorithm).update(bytes).digest('hex');

    check(`hash() and incremental() give ${algorithm} of small and large bytes`, async (t) => {
      for (const bytes of [large.subarray(0, 0), large.subarray(5, 999), large]) {
        t.is(await hashing.hash(algorithm, bytes), expected(bytes));
      }
      const incremental = hashing.incremental(algorithm);
      incremental.update(large.subarray(0, 7));
      incremental.update(large.subarray(7));
      t.is(incremental.hex(), expected(large));
    });

    check(`follow() gives ${algorithm} of a file that grows`, async (t, folder) => {
      const path = join(folder, 'file');
      const file = await files.open(path, 'create');
      const followed = hashing.follow(path, algorithm);
      for (let length = 0; length < large.length; ) {
        const end = Math.min(large.length, length + 70_001);
        await file.write(large.subarray(length, end), length);
        length = end;
        followed.extend(length);
      }
      t.is(await followed.digest(), expected(large));
      t.is(followed.hashed, large.length);
      followed.close();
      await file.close();
    });
  }

  check('follow() gives the hash of exactly the bytes said', async (t, folder) => {
    const path = join(folder, 'file');
    const file = await files.open(path, 'create');
    await file.write(large, 0);
    const followed = hashing.follow(path, 'sha256');
    followed.extend(1000);
    const first = createHash('sha256').update(large.subarray(0, 1000)).digest('hex');
    t.is(await followed.digest(), first);
    const nothing = hashing.follow(path, 'sha256');
    t.is(await nothing.digest(), createHash('sha256').digest('hex'));
    await file.close();
  });

  check('digest() rejects when the file is absent or too short', async (t, folder) => {
    const path = join(folder, 'file');
    const absent = hashing.follow(path, 'sha256');
    absent.extend(1);
    await t.throwsAsync(absent.digest(), { code: 'ENOENT' });
    await (await files.open(path, 'create')).close();
    const short = hashing.follow(path, 'sha256');
    short.extend(1);
    await t.throwsAsync(short.digest(), { code: 'SHORT' });
  });

  check('close() ends a hash that is waited for', async (t, folder) => {
    const path = join(folder, 'file');
    await (await files.open(path, 'create')).close();
    const followed = hashing.follow(path, 'sha256');
    const digest = followed.digest();
    followed.close();
    followed.close();
    await t.throwsAsync(digest, { code: 'CLOSED' });
  });

  check('follow() hashes many files at once', async (t, folder) => {
    const paths = Array.from({ length: 20 }, (_, at) => join(folder, String(at)));
    const hashes = await Promise.all(
      paths.map(async (path, at) => {
        const file = await files.open(path, 'create');
        await file.write(large.subarray(0, at * 50_000), 0);
        await file.close();
        const followed = hashing.follow(path, 'sha256');
        followed.extend(at * 50_000);
        return await followed.digest();
      }),
    );
    for (const [at, hash] of hashes.entries()) {
      const bytes = large.subarray(0, at * 50_000);
      t.is(hash, createHash('sha256').update(bytes).digest('hex'));
    }
  });
}

function testClock(test: TestFn, runtime: Runtime): void {
  test('sleep() ends after its time, and rejects with the reason of an abort', async (t) => {
    const before = runtime.clock.now();
    await runtime.clock.sleep(1);
    t.true(runtime.clock.now() >= before);
    const reason = new Error('enough');
    const ended = new AbortController();
    const sleeping = runtime.clock.sleep(1_000_000, ended.signal);
    ended.abort(reason);
    t.is(await t.throwsAsync(sleeping), reason);
    t.is(await t.throwsAsync(runtime.clock.sleep(1, AbortSignal.abort(reason))), reason);
  });

  test('runtime says what it is and where it runs', (t) => {
    t.regex(runtime.name, /^[a-z]+ \d+\./);
    t.true(runtime.workingDirectory.startsWith('/'));
    t.true(runtime.homeDirectory.startsWith('/'));
    t.is(typeof runtime.environment['PATH'], 'string');
  });

  test('lookup() gives the addresses of a host', async (t) => {
    t.deepEqual(await runtime.network.lookup('127.0.0.1'), ['127.0.0.1']);
    t.true((await runtime.network.lookup('localhost')).length > 0);
  });

  test('rootCertificates are PEM', (t) => {
    t.true(runtime.network.rootCertificates.length > 50);
    t.regex(runtime.network.rootCertificates[0] ?? '', /^-----BEGIN CERTIFICATE-----/);
  });

  test('run() gives what a program printed and rejects when it fails', async (t) => {
    t.is(await runtime.processes.run('cat', [], 'some input'), 'some input');
    await t.throwsAsync(runtime.processes.run('false', [], ''), { code: 'PROCESS_FAILED' });
    const absent = runtime.processes.run('mica-has-no-such-program', [], '');
    await t.throwsAsync(absent, { code: 'PROCESS_NOT_FOUND' });
  });

  test('run() passes arguments without a shell', async (t) => {
    const text = '$HOME; echo x';
    t.is(await runtime.processes.run('printf', ['%s', text], ''), text);
  });
}
