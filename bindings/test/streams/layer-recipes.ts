// What each layer of the corpus is made of.

import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { PROJECT_FOLDER } from './cache.ts';
import { unpackPackages } from './debian-packages.ts';
import { writeIncompressibleFiles } from './incompressible.ts';
import type { LayerName, LayerSize } from './layer.ts';
import { runProgram } from './program.ts';
import { listTree, sampleTree, type TarOptions, writeTar } from './tree-tar.ts';

export interface LayerRecipe {
  /** What the layer depends on beside this folder's sources: goes into the name of what is kept. */
  sources(): Promise<readonly Uint8Array[]>;
  /** Writes the layer's tar to `target`. */
  write(target: string, size: LayerSize): Promise<void>;
}

interface TreeOptions extends TarOptions {
  /** Larger files are left out. */
  readonly maxFileSize?: number;
  /** Folder of the root that is left out. */
  readonly excluded?: string;
}

/** Bytes of tar that a sample has, about. */
const SAMPLE_SIZES = { tiny: 400_000, small: 4_000_000 } as const;

/** Bytes of tar of the full layer that is not made of packages, about. */
const INCOMPRESSIBLE_SIZE = 40_000_000;

/** 2023-11-14T22:13:20Z, in seconds since 1970: for files whose own time is not always the same. */
const FIXED_MTIME = 1_700_000_000;

/** What a root file system of common use has beside the packages of every one: 220 MB in all. */
const ROOT_PACKAGES = ['python3', 'perl', 'curl', 'ca-certificates'];

/** What samples of the root are taken from: to make the whole one takes a minute. */
const BASE_PACKAGES = [
  ...['base-files', 'base-passwd', 'bash', 'coreutils', 'debianutils', 'dpkg', 'findutils'],
  ...['grep', 'gzip', 'libc6', 'libc-bin', 'login', 'perl-base', 'sed', 'tar', 'util-linux'],
];

/** The interpreter, its library and a few large modules: 65 MB. */
const PYTHON_PACKAGES = [
  ...['python3.11-minimal', 'libpython3.11-minimal', 'libpython3.11-stdlib', 'python3-distutils'],
  ...['python3-lib2to3', 'python3-numpy', 'python3-pip', 'python3-pkg-resources'],
  ...['python3-setuptools', 'libssl3'],
];

/** Large programs, static libraries and headers. */
const TOOLCHAIN_PACKAGES = [
  ...['binutils-x86-64-linux-gnu', 'gcc-12', 'cpp-12', 'libgcc-12-dev', 'libstdc++-12-dev'],
  ...['libc6-dev', 'linux-libc-dev'],
];

/** Time zones, translations, manual pages and modules: thousands of files of a few KiB. */
const SMALL_FILE_PACKAGES = [
  ...['tzdata', 'perl-modules-5.36', 'manpages', 'manpages-dev', 'git-man', 'ca-certificates'],
  ...['libpython3.11-stdlib', 'python-babel-localedata'],
];

export const LAYER_RECIPES: Readonly<Record<LayerName, LayerRecipe>> = {
  debian: {
    sources: noSources,
    write: (target, size) =>
      size === 'full'
        ? writeRoot(target)
        : writePackages(BASE_PACKAGES, { format: 'gnu' }, target, size),
  },
  python: ofPackages(PYTHON_PACKAGES, { format: 'gnu' }),
  'node-modules': {
    sources: async () => [await readFile(join(PROJECT_FOLDER, 'package-lock.json'))],
    // npm gives files the time of the install.
    write: (target, size) =>
      writeTree(
        join(PROJECT_FOLDER, 'node_modules'),
        { format: 'pax', mtime: FIXED_MTIME, maxFileSize: 200_000, excluded: '.cache' },
        target,
        size,
      ),
  },
  toolchain: ofPackages(TOOLCHAIN_PACKAGES, { format: 'gnu' }),
  'small-files': ofPackages(SMALL_FILE_PACKAGES, { format: 'ustar', maxFileSize: 100_000 }),
  incompressible: {
    sources: noSources,
    write: (target, size) =>
      inNewFolder(target, async (folder) => {
        const length = size === 'full' ? INCOMPRESSIBLE_SIZE : SAMPLE_SIZES[size];
        await writeIncompressibleFiles(folder, length);
        await writeTree(folder, { format: 'gnu', mtime: FIXED_MTIME }, target, 'full');
      }),
  },
};

async function noSources(): Promise<readonly Uint8Array[]> {
  return await Promise.resolve([]);
}

function ofPackages(packages: readonly string[], options: TreeOptions): LayerRecipe {
  return {
    sources: noSources,
    write: (target, size) => writePackages(packages, options, target, size),
  };
}

async function writePackages(
  packages: readonly string[],
  options: TreeOptions,
  target: string,
  size: LayerSize,
): Promise<void> {
  await inNewFolder(target, async (folder) => {
    await unpackPackages(packages, folder);
    await writeTree(folder, options, target, size);
  });
}

/** A whole root file system, with the package database; mmdebstrap writes its own tar. */
async function writeRoot(target: string): Promise<void> {
  const packages = `--include=${ROOT_PACKAGES.join(',')}`;
  const command = ['mmdebstrap', '--quiet', '--variant=minbase', '--format=tar', packages];
  await runProgram([...command, 'bookworm', target], {
    environment: { SOURCE_DATE_EPOCH: `${FIXED_MTIME}` },
  });
}

async function writeTree(
  root: string,
  options: TreeOptions,
  target: string,
  size: LayerSize,
): Promise<void> {
  const maxFileSize = options.maxFileSize ?? Number.POSITIVE_INFINITY;
  const entries = (await listTree(root)).filter(
    ({ path, size: fileSize }) =>
      fileSize <= maxFileSize && path.split('/')[0] !== options.excluded,
  );
  const chosen = size === 'full' ? entries : sampleTree(entries, SAMPLE_SIZES[size]);
  await writeTar(root, chosen, options, target);
}

async function inNewFolder(target: string, use: (folder: string) => Promise<void>): Promise<void> {
  const folder = `${target}-tree`;
  await mkdir(folder);
  try {
    await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
