// Layers that real tools can make but seldom do: many members, many files, much of nothing.

import { appendFile, mkdir, open, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CACHE_FOLDER, makeOnce } from '../streams/cache.ts';
import { makeLayer } from '../streams/layers.ts';
import { runProgram } from '../streams/program.ts';
import { goProgramFile } from '../streams/programs.ts';

const MEBIBYTE = 1024 * 1024;

/** Bytes of the tar in a member. */
const MEMBER_SIZE = 2_000;

/** What eStargz ends with: a member with the offset of its table of contents in an extra field. */
const ESTARGZ_FOOTER = Buffer.concat([
  Buffer.from('1f8b08040000000000ff' + '1a00' + '53471600', 'hex'),
  Buffer.from('0000000000012345STARGZ', 'latin1'),
  Buffer.from('010000ffff' + '0000000000000000', 'hex'),
]);

/**
 * 1,024 zeros as Docker compressed them for every instruction that changes no file.
 * Source: https://github.com/distribution/distribution/blob/v2.8.3/manifest/schema1/config_builder.go
 */
export const EMPTY_LAYER: Uint8Array = Buffer.from(
  '1f8b080000096e8800ff621805a360148c5800080000ffff2eafb5ef00040000',
  'hex',
);

export async function makeEstargzLike(): Promise<string> {
  const layer = await makeLayer('python', 'tiny');
  return await makeOnce(join(CACHE_FOLDER, 'corners', 'estargz-like.gz'), async (part) => {
    const options = ['-level', '9', '-member', `${MEMBER_SIZE}`];
    await runProgram([goProgramFile('go-1.26'), ...options], { input: layer.file, output: part });
    await appendFile(part, ESTARGZ_FOOTER);
  });
}

/** A layer of `count` files of a few bytes, a thousand in each folder, by GNU tar and gzip. */
export async function makeTinyFiles(count: number): Promise<string> {
  return await makeOnce(join(CACHE_FOLDER, 'corners', `files-${count}.gz`), async (part) => {
    const folder = `${part}-tree`;
    try {
      for (let first = 0; first < count; first += 1000) {
        const below = join(folder, `folder-${first}`);
        await mkdir(below, { recursive: true });
        const files = Array.from({ length: 1000 }, (_, index) => first + index);
        await Promise.all(
          files.map((file) => writeFile(join(below, `file-${file}`), `This is file ${file}.\n`)),
        );
      }
      await packFolder(folder, part, ['gzip', '-n', '-6']);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
}

/** A layer of one file of zeros. */
export async function makeZeros(
  mebibytes: number,
  name: string,
  command: readonly string[],
): Promise<string> {
  const path = join(CACHE_FOLDER, 'corners', `zeros-${mebibytes}-${name}.gz`);
  return await makeOnce(path, async (part) => {
    const folder = `${part}-tree`;
    await mkdir(folder);
    try {
      const file = await open(join(folder, 'zeros'), 'w');
      await file.truncate(mebibytes * MEBIBYTE);
      await file.close();
      await packFolder(folder, part, command);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
}

async function packFolder(
  folder: string,
  target: string,
  command: readonly string[],
): Promise<void> {
  const tar = `${target}-tar`;
  try {
    const options = ['--sort=name', '--mtime=@1700000000', '--owner=0', '--group=0'];
    await runProgram(['tar', ...options, '-cf', tar, '-C', folder, '.']);
    await runProgram(command, { input: tar, output: target });
  } finally {
    await rm(tar, { force: true });
  }
}
