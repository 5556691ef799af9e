import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { nodeRuntime } from '../../src/adapter/node/runtime.ts';
import { openDataFolder } from '../../src/store/data-folder.ts';
import { DataFolderError } from '../../src/store/data-folder-error.ts';
import { makeTestRuntime } from '../doubles/test-runtime.ts';

const runtime = nodeRuntime();

async function withFolder(body: (path: string) => Promise<void>): Promise<void> {
  const path = await mkdtemp(join(tmpdir(), 'mica-data-'));
  try {
    await body(path);
  } finally {
    await rm(path, { recursive: true });
  }
}

test('openDataFolder() makes version, folders and a secret that only the owner may read', (t) =>
  withFolder(async (parent) => {
    const path = join(parent, 'a/b');
    const folder = await openDataFolder({ path, runtime });
    await folder.close();
    const names = (await readdir(path)).sort();
    t.deepEqual(names, ['VERSION', 'blobs', 'fills', 'index', 'quarantine', 'secret']);
    t.is(await readFile(join(path, 'VERSION'), 'utf8'), '1\n');
    t.is((await stat(join(path, 'secret'))).mode & 0o777, 0o600);
    t.is(folder.secret.length, 32);
  }));

test('openDataFolder() gives the same secret each time, also to who opens it at the same time', (t) =>
  withFolder(async (path) => {
    const folders = await Promise.all([1, 2, 3].map(() => openDataFolder({ path, runtime })));
    for (const folder of folders) await folder.close();
    const again = await openDataFolder({ path, runtime });
    await again.close();
    for (const folder of folders) t.deepEqual(folder.secret, again.secret);
  }));

test('openDataFolder() refuses a folder of a newer version and leaves it as it is', (t) =>
  withFolder(async (path) => {
    await writeFile(join(path, 'VERSION'), '2\n');
    const error = await t.throwsAsync(openDataFolder({ path, runtime }), {
      instanceOf: DataFolderError,
    });
    t.is(error?.code, 'DATA_FOLDER_TOO_NEW');
    t.regex(error?.message ?? '', /update Mica/);
    t.deepEqual(await readdir(path), ['VERSION']);
  }));

test('openDataFolder() refuses a VERSION or secret that is not one', (t) =>
  withFolder(async (path) => {
    await writeFile(join(path, 'VERSION'), 'postgres 14\n');
    const unknown = { instanceOf: DataFolderError, code: 'DATA_FOLDER_UNKNOWN' };
    await t.throwsAsync(openDataFolder({ path, runtime }), unknown);
    await writeFile(join(path, 'VERSION'), '1\n');
    await writeFile(join(path, 'secret'), '');
    await t.throwsAsync(openDataFolder({ path, runtime }), unknown);
  }));

test('openDataFolder() names folder, user and remedy when it cannot write', (t) =>
  withFolder(async (path) => {
    await chmod(path, 0o500);
    // The superuser may write anywhere, so the refusal is made by hand.
    const refusing = makeTestRuntime({
      files: {
        open: (name) =>
          Promise.reject(Object.assign(new Error(`EACCES: ${name}`), { code: 'EACCES' })),
      },
    });
    const error = await t.throwsAsync(
      openDataFolder({ path, runtime: { ...refusing, userName: 'mica' } }),
      { instanceOf: DataFolderError },
    );
    t.is(error?.code, 'DATA_FOLDER_NOT_WRITABLE');
    t.true(error?.message.includes(path));
    t.regex(error?.message ?? '', /user mica.*chown/);
    await chmod(path, 0o700);
  }));

test('openDataFolder() starts on a full disk that it prepared before', (t) =>
  withFolder(async (path) => {
    await (await openDataFolder({ path, runtime })).close();
    const full = makeTestRuntime({
      files: {
        open: () => Promise.reject(Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' })),
      },
    });
    const folder = await openDataFolder({ path, runtime: full });
    t.is(folder.secret.length, 32);
    await folder.close();
  }));
