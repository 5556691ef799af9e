// A small file system of its own, in a file, that a test may fill.

import { mkdir, mkdtemp, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram, getProgram, isRoot, runProgram, tryProgram } from '../peers/program.ts';

export interface SmallDisk {
  readonly path: string;
  freeBytes(): Promise<number>;
  /** Takes all but so many bytes of what is free. */
  fill(leaveBytes: number): Promise<void>;
  /** Gives back what fill() took. */
  empty(): Promise<void>;
  /** As the kernel makes it when the disk fails, or writable again. No file may be open to be written. */
  setReadOnly(isReadOnly: boolean): Promise<void>;
  /** Unmounts it and removes its file. */
  close(): Promise<void>;
}

/** ext4 takes blocks and metadata into account only roughly: what cannot be filled at once, in bytes. */
const FILL_STEP = 64 * 1024;

/** fill() takes nine tenths of what is left at a time, so it never needs as many files. */
const MAX_FILLERS = 100;

/** Why a file system cannot be mounted here, undefined when it can. */
export async function findMountProblem(): Promise<string | undefined> {
  if (!isRoot()) return 'needs root';
  const missing = ['mkfs.ext4', 'mount', 'umount', 'fallocate'].find(
    (name) => findProgram(name) === undefined,
  );
  if (missing !== undefined) return `needs ${missing}`;
  try {
    const disk = await openSmallDisk(8 * 1024 * 1024);
    await disk.close();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Makes an ext4 file system of `size` bytes and mounts it; the loop device goes with the mount. */
export async function openSmallDisk(size: number): Promise<SmallDisk> {
  const folder = await mkdtemp(join(tmpdir(), 'mica-disk-'));
  const path = join(folder, 'mounted');
  const file = join(folder, 'disk.img');
  try {
    await mkdir(path);
    await runProgram([getProgram('fallocate'), '-l', String(size), file]);
    await runProgram([getProgram('mkfs.ext4'), '-q', '-F', '-m', '0', file]);
    await runProgram([getProgram('mount'), '-o', 'loop', file, path]);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
  const freeBytes = async (): Promise<number> => {
    const { bavail, bsize } = await statfs(path);
    return bavail * bsize;
  };
  return {
    path,
    freeBytes,
    fill: async (leaveBytes) => {
      for (let number = 0; (await freeBytes()) >= leaveBytes + FILL_STEP; number += 1) {
        const length = Math.max(FILL_STEP, Math.floor(((await freeBytes()) - leaveBytes) * 0.9));
        const target = join(path, `filler-${number}`);
        const { code } = await tryProgram([getProgram('fallocate'), '-l', String(length), target]);
        if (code !== 0) return;
      }
    },
    empty: async () => {
      for (let number = 0; number < MAX_FILLERS; number += 1)
        await rm(join(path, `filler-${number}`), { force: true });
    },
    setReadOnly: async (isReadOnly) => {
      await runProgram([getProgram('mount'), '-o', `remount,${isReadOnly ? 'ro' : 'rw'}`, path]);
    },
    close: async () => {
      const umount = getProgram('umount');
      const plain = await tryProgram([umount, path]);
      // A program that still holds a file open must not leave the mount behind.
      if (plain.code !== 0) await runProgram([umount, '--lazy', path]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
