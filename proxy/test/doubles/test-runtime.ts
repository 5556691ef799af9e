// biome-ignore-all lint/suspicious/useAwait: the contracts are asynchronous, these answers are at hand.

// A machine for tests: real files and hashes, and a clock, disk and environment that the test chooses.

import { createHash } from 'node:crypto';
import * as fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadCore } from 'mica-core/load-core';
import { nodeFiles as coreFiles } from 'mica-core/node-files';
import type { DigestAlgorithm } from '../../src/oci/digest.ts';
import type {
  Clock,
  DiskSpace,
  FileStatus,
  Files,
  FollowedHash,
  Hashing,
  OpenFile,
  Runtime,
} from '../../src/runtime/runtime.ts';
import { FakeClock } from './fake-clock.ts';

/** A disk on which nothing gets tight, bytes. */
const ROOMY_DISK: DiskSpace = { size: 2 ** 40, free: 2 ** 40 };

export interface TestRuntimeOptions {
  readonly clock?: Clock;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly workingDirectory?: string;
  /** What space() answers; may change while the test runs. */
  readonly disk?: () => DiskSpace;
  /** Answers for programs; without it none is run. */
  readonly run?: (command: string, args: readonly string[]) => Promise<string>;
  /** Replaces single operations, to make them fail. */
  readonly files?: Partial<Files>;
}

/** A new folder of its own, to be removed with removeFolder(). */
export function makeFolder(): Promise<string> {
  return fs.mkdtemp(join(tmpdir(), 'mica-test-'));
}

export function removeFolder(path: string): Promise<void> {
  return fs.rm(path, { recursive: true, force: true });
}

export function makeTestRuntime(options: TestRuntimeOptions = {}): Runtime {
  const disk = options.disk ?? (() => ROOMY_DISK);
  return {
    name: 'test',
    files: { ...nodeFiles, space: async () => disk(), ...options.files },
    hashing,
    clock: options.clock ?? new FakeClock(),
    processes: {
      run:
        options.run ??
        ((command) => Promise.reject(new Error(`tests run no programs: ${command}`))),
    },
    network: { lookup: async (host) => [host], rootCertificates: [] },
    environment: options.environment ?? {},
    workingDirectory: options.workingDirectory ?? '/',
    homeDirectory: '/nonexistent',
    temporaryDirectory: tmpdir(),
    loadCore: (choice, threads) => loadCore({ choice, files: coreFiles, threads }),
    isRoot: false,
  };
}

const OPEN_FLAGS = { read: 'r', create: 'w+', update: 'r+' } as const;

async function openFile(path: string, mode: keyof typeof OPEN_FLAGS): Promise<OpenFile> {
  // Opened for append once to make it: writes in that mode would ignore their position.
  if (mode === 'update') await (await fs.open(path, 'a')).close();
  const handle = await fs.open(path, OPEN_FLAGS[mode]);
  return {
    read: async (into, position) => (await handle.read(into, 0, into.length, position)).bytesRead,
    write: async (bytes, position) => {
      for (let done = 0; done < bytes.length; ) {
        const left = bytes.length - done;
        done += (await handle.write(bytes, done, left, position + done)).bytesWritten;
      }
    },
    size: async () => (await handle.stat()).size,
    truncate: (size) => handle.truncate(size),
    sync: () => handle.sync(),
    close: () => handle.close(),
  };
}

async function statFile(path: string): Promise<FileStatus | undefined> {
  try {
    const stats = await fs.lstat(path);
    const plainKind = stats.isFile() ? 'file' : 'other';
    return {
      kind: stats.isDirectory() ? 'directory' : plainKind,
      size: stats.size,
      allocated: stats.blocks * 512,
      modifiedMs: stats.mtimeMs,
    };
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

const nodeFiles: Files = {
  open: openFile,
  stat: statFile,
  list: (path) => fs.readdir(path),
  makeDirectory: async (path) => {
    await fs.mkdir(path, { recursive: true });
  },
  rename: (from, to) => fs.rename(from, to),
  link: (from, to) => fs.link(from, to),
  remove: (path) => fs.rm(path, { force: true }),
  removeDirectory: (path) => fs.rmdir(path),
  // Durability needs a crash to be seen; tests save the time.
  syncDirectory: async () => undefined,
  readText: (path) => fs.readFile(path, 'utf8'),
  space: async () => ROOMY_DISK,
};

const hashing: Hashing = {
  hash: async (algorithm, bytes) => createHash(algorithm).update(bytes).digest('hex'),
  follow: followFile,
  incremental: (algorithm) => {
    const hash = createHash(algorithm);
    return { update: (bytes) => void hash.update(bytes), hex: () => hash.digest('hex') };
  },
};

/** Reads the file in one go when the digest is asked for. */
function followFile(path: string, algorithm: DigestAlgorithm): FollowedHash {
  let length = 0;
  return {
    extend: (to) => {
      length = Math.max(length, to);
    },
    get hashed() {
      return length;
    },
    digest: async () => {
      const bytes = await fs.readFile(path);
      return createHash(algorithm).update(bytes.subarray(0, length)).digest('hex');
    },
    close: () => undefined,
  };
}
