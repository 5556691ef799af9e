// hashFile(), and with it what all long-running functions have in common.

import { deepStrictEqual, equal, ok, rejects } from 'node:assert/strict';
import { closeSync, openSync, readSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { Core } from '../../src/core.ts';
import { makeBytes } from './bytes.ts';
import { type Check, inFolder, rejectsCoreError } from './check.ts';
import { digestOf } from './hashes.ts';
import { countOpen } from './open-files.ts';

const MIB = 1024 * 1024;

/** Around the pieces in which files are read. */
const SIZES: readonly number[] = [0, 1, MIB / 4 - 1, MIB / 4, MIB / 4 + 1, MIB, 3 * MIB + 5];

/** A file that never ends. */
const ENDLESS = '/dev/zero';

async function makeFile(folder: string, size: number): Promise<{ path: string; digest: string }> {
  const path = join(folder, `file-${size}`);
  const bytes = makeBytes(size, size + 1);
  await writeFile(path, bytes);
  return { path, digest: digestOf('sha256', bytes) };
}

const resultChecks: readonly Check[] = [
  inFolder('hashFile() hashes files of all sizes, also at the same time', async (core, folder) => {
    const files = await Promise.all(SIZES.map((size) => makeFile(folder, size)));
    const results = await Promise.all(
      files.map(({ path }) => core.hashFile(path, { algorithm: 'sha256' })),
    );
    deepStrictEqual(
      results.map(({ digest, size }) => ({ digest, size })),
      files.map(({ digest }, index) => ({ digest, size: SIZES[index] })),
    );
    equal(await countOpen(folder), 0);
  }),

  inFolder('hashFile() leaves a descriptor open and where it was', async (core, folder) => {
    const { path, digest } = await makeFile(folder, MIB);
    const descriptor = openSync(path, 'r');
    try {
      const first = new Uint8Array(10);
      readSync(descriptor, first, 0, 10, null);
      equal((await core.hashFile(descriptor, { algorithm: 'sha256' })).digest, digest);
      const next = new Uint8Array(10);
      readSync(descriptor, next, 0, 10, null);
      deepStrictEqual(next, makeBytes(20, MIB + 1).subarray(10));
    } finally {
      closeSync(descriptor);
    }
  }),

  inFolder('hashFile() compares the size with the expected one', async (core, folder) => {
    const { path } = await makeFile(folder, 1000);
    const options = { algorithm: 'sha256' } as const;
    equal((await core.hashFile(path, { ...options, expectedSize: 1000 })).size, 1000);
    for (const expectedSize of [0, 999, 1001])
      await rejectsCoreError(core.hashFile(path, { ...options, expectedSize }), {
        code: 'FILE_SIZE',
        got: 1000,
        expected: expectedSize,
      });
    equal(await countOpen(folder), 0);
  }),

  inFolder("hashFile() rejects with the system's code and its cause", async (core, folder) => {
    const options = { algorithm: 'sha256' } as const;
    const absent = core.hashFile(join(folder, 'absent'), options);
    await rejectsCoreError(absent, { code: 'ENOENT', hasCause: true });
    const directory = core.hashFile(folder, options);
    await rejectsCoreError(directory, { code: 'EISDIR', offset: 0, hasCause: true });
    // No process here has as many open.
    const closed = core.hashFile(1_000_000, options);
    await rejectsCoreError(closed, { code: 'EBADF', hasCause: true });
    equal(await countOpen(folder), 0);
  }),
];

/** Starts a job that never ends by itself, and resolves once it has begun. */
async function startEndless(core: Core, signal: AbortSignal): Promise<{ job: Promise<unknown> }> {
  return await new Promise((resolve) => {
    const onProgress = (): void => resolve({ job });
    const job = core.hashFile(ENDLESS, { algorithm: 'sha256', signal, onProgress });
    // A test that fails before it awaits the job must not end the process.
    job.catch(() => undefined);
  });
}

const cancelChecks: readonly Check[] = [
  {
    title: 'hashFile() rejects with the reason when it is aborted',
    async run(core) {
      const controller = new AbortController();
      const { job } = await startEndless(core, controller.signal);
      const reason = new Error('enough');
      controller.abort(reason);
      await rejects(job, (error) => error === reason);
    },
  },

  inFolder('hashFile() opens nothing when it was aborted before', async (core, folder) => {
    const { path } = await makeFile(folder, 10);
    const reason = { any: 'value' };
    const signal = AbortSignal.abort(reason);
    const job = core.hashFile(path, { algorithm: 'sha256', signal });
    await rejects(job, (error) => error === reason);
    equal(await countOpen(folder), 0);
  }),

  {
    title: 'hashFile() lets the event loop turn',
    async run(core) {
      const controller = new AbortController();
      const { job } = await startEndless(core, controller.signal);
      for (let turns = 0; turns < 20; turns += 1) await setImmediate();
      controller.abort();
      await rejects(job, { name: 'AbortError' });
    },
  },

  inFolder('hashFile() tells its progress in rising numbers', async (core, folder) => {
    const size = 5 * MIB + 1;
    const { path } = await makeFile(folder, size);
    const told: number[] = [];
    await core.hashFile(path, { algorithm: 'sha256', onProgress: (done) => told.push(done) });
    const toldInTime = told.length;
    ok(told.every((done, index) => done > (told[index - 1] ?? 0) && done <= size));
    await setImmediate();
    equal(told.length, toldInTime, 'nothing is told afterwards');
  }),

  {
    title: 'hashFile() ends when onProgress throws, with what it threw',
    async run(core) {
      const thrown = new Error('of the caller');
      const onProgress = (): void => {
        throw thrown;
      };
      const job = core.hashFile(ENDLESS, { algorithm: 'sha256', onProgress });
      await rejects(job, (error) => error === thrown);
    },
  },

  inFolder('hashFile() leaves no listener on the signal', async (core, folder) => {
    const { path } = await makeFile(folder, 10);
    const listeners = new Set<unknown>();
    const { signal } = new AbortController();
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (type: string, listener: never, options?: never): void => {
      listeners.add(listener);
      add(type, listener, options);
    };
    signal.removeEventListener = (type: string, listener: never): void => {
      listeners.delete(listener);
      remove(type, listener);
    };
    await core.hashFile(path, { algorithm: 'sha256', signal });
    await rejects(core.hashFile(folder, { algorithm: 'sha256', signal }));
    equal(listeners.size, 0);
  }),
];

export const hashFileChecks: readonly Check[] = [...resultChecks, ...cancelChecks];
