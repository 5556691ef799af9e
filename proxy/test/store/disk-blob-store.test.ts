import {
  mkdtemp,
  open as openFile,
  readdir,
  rm,
  stat,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { nodeRuntime } from '../../src/adapter/node/runtime.ts';
import { type Digest, digestAlgorithm, digestHex } from '../../src/oci/digest.ts';
import type { Files, OpenFile, Runtime } from '../../src/runtime/runtime.ts';
import { ShortBlobError } from '../../src/store/blob-store.ts';
import { type DiskBlobStore, openDiskBlobStore } from '../../src/store/disk-blob-store.ts';
import { HELD_BACK_TAIL } from '../../src/store/held-back-tail.ts';
import {
  type BlobStoreUnderTest,
  digestBytes,
  fill,
  makeBytes,
  readAll,
  testBlobStore,
} from '../conformance/blob-store.ts';
import { FakeClock } from '../doubles/fake-clock.ts';
import { quietLog } from '../doubles/quiet-log.ts';

const runtime = nodeRuntime();
const RECHECK_MS = 60_000;
const LARGE = makeBytes(2 * HELD_BACK_TAIL + 5);
const LARGE_DIGEST = digestBytes(LARGE);
const SMALL = makeBytes(500, 7);
const SMALL_DIGEST = digestBytes(SMALL);

interface Opened {
  readonly folder: string;
  readonly damaged: Digest[];
  open(changed?: Partial<Runtime>): Promise<DiskBlobStore>;
}

async function withFolder(body: (opened: Opened) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'mica-blobs-'));
  const damaged: Digest[] = [];
  const stores: DiskBlobStore[] = [];
  const open = async (changed: Partial<Runtime> = {}): Promise<DiskBlobStore> => {
    const store = await openDiskBlobStore({
      folder,
      runtime: { ...runtime, ...changed },
      recheckMs: RECHECK_MS,
      log: quietLog,
      onDamaged: (digest) => damaged.push(digest),
    });
    stores.push(store);
    return store;
  };
  try {
    await body({ folder, damaged, open });
  } finally {
    for (const store of stores) await store.close();
    await rm(folder, { recursive: true });
  }
}

function blobPath(folder: string, digest: Digest): string {
  const hex = digestHex(digest);
  return join(folder, 'blobs', digestAlgorithm(digest), hex.slice(0, 2), hex);
}

async function damage(folder: string, digest: Digest, position: number): Promise<void> {
  const file = await openFile(blobPath(folder, digest), 'r+');
  const byte = new Uint8Array(1);
  await file.read(byte, 0, 1, position);
  await file.write(
    byte.map((value) => value ^ 1),
    0,
    1,
    position,
  );
  await file.close();
}

/** Wraps every file that is opened. */
function wrapFiles(wrap: (file: OpenFile, path: string) => Partial<OpenFile>): Files {
  return {
    ...runtime.files,
    open: async (path, mode) => {
      const file = await runtime.files.open(path, mode);
      return {
        read: (into, position) => file.read(into, position),
        write: (bytes, position) => file.write(bytes, position),
        size: () => file.size(),
        truncate: (size) => file.truncate(size),
        sync: () => file.sync(),
        close: () => file.close(),
        ...wrap(file, path),
      };
    },
  };
}

function failWith(code: string): Promise<never> {
  return Promise.reject(Object.assign(new Error(code), { code }));
}

testBlobStore(test, 'DiskBlobStore', async (): Promise<BlobStoreUnderTest> => {
  const folder = await mkdtemp(join(tmpdir(), 'mica-blobs-'));
  const damaged: Digest[] = [];
  const options = {
    folder,
    runtime,
    recheckMs: RECHECK_MS,
    log: quietLog,
    onDamaged: (digest: Digest) => {
      damaged.push(digest);
    },
  };
  let store = await openDiskBlobStore(options);
  return {
    store,
    damaged,
    reopen: async () => {
      await store.close();
      store = await openDiskBlobStore(options);
      return store;
    },
    damage: (digest, position) => damage(folder, digest, position),
    remove: async () => {
      await store.close();
      await rm(folder, { recursive: true });
    },
  };
});

test('append() leaves length and bytes as they were when the disk is full', (t) =>
  withFolder(async ({ folder, open }) => {
    let isFull = false;
    const files = wrapFiles((file) => ({
      write: async (bytes, position) => {
        if (!isFull) return await file.write(bytes, position);
        await file.write(bytes.subarray(0, bytes.length >> 1), position);
        return await failWith('ENOSPC');
      },
    }));
    const store = await open({ files });
    const partial = await store.begin(LARGE_DIGEST);
    await partial.append(LARGE.subarray(0, 1000));
    isFull = true;
    await t.throwsAsync(partial.append(LARGE.subarray(1000, 3000)), { code: 'ENOSPC' });
    t.is(partial.length, 1000);
    const name = `sha256-${digestHex(LARGE_DIGEST)}.part`;
    t.is((await stat(join(folder, 'fills', name))).size, 1000);
    isFull = false;
    await partial.append(LARGE.subarray(1000));
    await partial.commit(LARGE.length);
    await partial.close();
    t.is(await store.verify(LARGE_DIGEST), 'whole');
  }));

test('commit() syncs the file, then its new name, then the folder it left', (t) =>
  withFolder(async ({ folder, open }) => {
    const steps: string[] = [];
    const note = (step: string, path: string) =>
      steps.push(`${step} ${path.slice(folder.length + 1).replaceAll(/[0-9a-f]{64}/g, 'HEX')}`);
    const files: Files = {
      ...wrapFiles((file, path) => ({
        sync: async () => {
          await file.sync();
          note('sync', path);
        },
      })),
      rename: async (from, to) => {
        await runtime.files.rename(from, to);
        note('rename', to);
      },
      syncDirectory: async (path) => {
        await runtime.files.syncDirectory(path);
        note('sync', path);
      },
    };
    const store = await open({ files });
    steps.length = 0;
    await fill(store, LARGE_DIGEST, LARGE);
    const prefix = digestHex(LARGE_DIGEST).slice(0, 2);
    t.deepEqual(steps.slice(0, 4), [
      'sync fills/sha256-HEX.part',
      'sync blobs/sha256',
      'sync blobs',
      `rename blobs/sha256/${prefix}/HEX`,
    ]);
    // The last two are synced at the same time.
    t.deepEqual(
      steps.slice(4).sort((one, other) => (one < other ? -1 : 1)),
      [`sync blobs/sha256/${prefix}`, 'sync fills'],
    );
  }));

test('a crash at any step leaves only whole blobs and a fill that can go on', (t) =>
  withFolder(async ({ open }) => {
    for (let lastStep = 0, isDone = false; !isDone; lastStep += 1) {
      let steps = 0;
      const step = async <T>(action: () => Promise<T>): Promise<T> => {
        steps += 1;
        if (steps > lastStep) return await failWith('CRASHED');
        return await action();
      };
      const real = runtime.files;
      const files: Files = {
        ...wrapFiles((file) => ({
          write: (bytes, position) => step(() => file.write(bytes, position)),
          truncate: (size) => step(() => file.truncate(size)),
          sync: () => step(() => file.sync()),
        })),
        makeDirectory: (path) => step(() => real.makeDirectory(path)),
        rename: (from, to) => step(() => real.rename(from, to)),
        remove: (path) => step(() => real.remove(path)),
        syncDirectory: (path) => step(() => real.syncDirectory(path)),
      };
      const write = async (): Promise<void> => {
        const store = await open({ files });
        await store.put(SMALL_DIGEST, SMALL);
        await fill(store, LARGE_DIGEST, LARGE);
      };
      isDone = await write().then(
        () => true,
        () => false,
      );
      const store = await open();
      for await (const { digest } of store.list()) t.is(await store.verify(digest), 'whole');
      await fill(store, LARGE_DIGEST, LARGE);
      await store.put(SMALL_DIGEST, SMALL);
      await store.remove(LARGE_DIGEST);
      await store.remove(SMALL_DIGEST);
      t.true(lastStep < 100);
    }
  }));

test('open() checks a blob once for all who open it, and again after the recheck time', (t) =>
  withFolder(async ({ open }) => {
    await fill(await open(), LARGE_DIGEST, LARGE);
    let checks = 0;
    const clock = new FakeClock();
    const hashing = {
      hash: runtime.hashing.hash.bind(runtime.hashing),
      incremental: runtime.hashing.incremental.bind(runtime.hashing),
      follow: (path: string, algorithm: 'sha256' | 'sha512') => {
        checks += 1;
        return runtime.hashing.follow(path, algorithm);
      },
    };
    const store = await open({ clock, hashing });
    const read = async (): Promise<void> => {
      const source = await store.open(LARGE_DIGEST);
      t.is(source === undefined ? -1 : Buffer.compare(await readAll(source), LARGE), 0);
      source?.close();
    };
    await Promise.all([read(), read(), read()]);
    await read();
    t.is(checks, 1);
    await clock.advance(RECHECK_MS + 1);
    await read();
    t.is(checks, 2);
  }));

test('open() shares one descriptor and reads without asking for size again', (t) =>
  withFolder(async ({ open }) => {
    let opened = 0;
    let asked = 0;
    const files = wrapFiles((file) => {
      opened += 1;
      return {
        size: () => {
          asked += 1;
          return file.size();
        },
      };
    });
    const store = await open({ files });
    await fill(store, LARGE_DIGEST, LARGE);
    opened = 0;
    asked = 0;
    for (let round = 0; round < 5; round += 1) {
      const source = await store.open(LARGE_DIGEST);
      await source?.read(new Uint8Array(10), 0);
      source?.close();
    }
    t.deepEqual([opened, asked], [1, 1]);
  }));

test('open() gives nothing of a small damaged blob and reports it once', (t) =>
  withFolder(async ({ folder, damaged, open }) => {
    await (await open()).put(SMALL_DIGEST, SMALL);
    await damage(folder, SMALL_DIGEST, 0);
    const store = await open();
    const sources = await Promise.all([store.open(SMALL_DIGEST), store.open(SMALL_DIGEST)]);
    t.deepEqual(sources, [undefined, undefined]);
    t.deepEqual(damaged, [SMALL_DIGEST]);
    t.is((await readdir(join(folder, 'quarantine'))).length, 1);
    t.false(store.isBusy(SMALL_DIGEST));
  }));

test('removeQuarantined() removes what went there before, and nothing later', (t) =>
  withFolder(async ({ folder, open }) => {
    const store = await open();
    await store.put(SMALL_DIGEST, SMALL);
    await store.quarantine(SMALL_DIGEST);
    const [name = ''] = await readdir(join(folder, 'quarantine'));
    const sinceMs = Number(name.split('-').at(-1));
    t.is(await store.removeQuarantined(sinceMs), 0);
    t.is(await store.removeQuarantined(sinceMs + 1), SMALL.length);
    t.deepEqual(await readdir(join(folder, 'quarantine')), []);
  }));

test('read() of a source sets a blob aside when its file became shorter or cannot be read', (t) =>
  withFolder(async ({ folder, damaged, open }) => {
    let isBroken = false;
    const files = wrapFiles((file) => ({
      read: (into, position) => (isBroken ? failWith('EIO') : file.read(into, position)),
    }));
    const store = await open({ files });
    for (const breakFile of [
      () => truncate(blobPath(folder, LARGE_DIGEST), 1000),
      () => {
        isBroken = true;
        return Promise.resolve();
      },
    ]) {
      await fill(store, LARGE_DIGEST, LARGE);
      const source = await store.open(LARGE_DIGEST);
      await breakFile();
      if (source === undefined) throw new Error('absent');
      await t.throwsAsync(readAll(source), { instanceOf: ShortBlobError });
      source.close();
      t.is(await store.stat(LARGE_DIGEST), undefined);
    }
    t.deepEqual(damaged, [LARGE_DIGEST, LARGE_DIGEST]);
  }));

test('open() and read() set a blob aside when a broken disk does not open its file', (t) =>
  withFolder(async ({ damaged, open }) => {
    await (await open()).put(SMALL_DIGEST, SMALL);
    const files: Files = {
      ...runtime.files,
      open: (path, mode) => (mode === 'read' ? failWith('EIO') : runtime.files.open(path, mode)),
    };
    const store = await open({ files });
    t.is(await store.open(SMALL_DIGEST), undefined);
    await store.put(SMALL_DIGEST, SMALL);
    t.is(await store.read(SMALL_DIGEST), undefined);
    t.deepEqual(damaged, [SMALL_DIGEST, SMALL_DIGEST]);
    t.false(store.isBusy(SMALL_DIGEST));
  }));

test('openDiskBlobStore() removes old files that a crash left of put() and no others', (t) =>
  withFolder(async ({ folder, open }) => {
    await open();
    const name = `sha256-${digestHex(SMALL_DIGEST)}`;
    await writeFile(join(folder, 'fills', `${name}.1.put`), 'x');
    await writeFile(join(folder, 'fills', `${name}.part`), 'x');
    await open();
    t.is((await readdir(join(folder, 'fills'))).length, 2);
    await open({ clock: new FakeClock(Date.now() + 4_000_000) });
    t.deepEqual(await readdir(join(folder, 'fills')), [`${name}.part`]);
  }));

test('list() passes over files and folders that are not blobs', (t) =>
  withFolder(async ({ folder, open }) => {
    const store = await open();
    await store.put(SMALL_DIGEST, SMALL);
    await writeFile(join(folder, 'blobs', 'README'), 'x');
    await writeFile(join(folder, 'blobs', 'sha256', digestHex(SMALL_DIGEST).slice(0, 2), 'x'), 'x');
    const found: string[] = [];
    for await (const entry of store.list()) found.push(`${entry.digest} ${entry.size}`);
    t.deepEqual(found, [`${SMALL_DIGEST} ${SMALL.length}`]);
  }));

test('put() works when somebody removed the empty folder of a digest', (t) =>
  withFolder(async ({ folder, open }) => {
    const store = await open();
    await store.put(SMALL_DIGEST, SMALL);
    await rm(join(folder, 'blobs', 'sha256'), { recursive: true });
    await store.put(SMALL_DIGEST, SMALL);
    t.is(await store.verify(SMALL_DIGEST), 'whole');
  }));
