// Layers that are out of the ordinary and still have to be kept exactly, within time and memory.

import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { IngestedLayer } from '../../src/core.ts';
import { loadNative } from '../../src/load-native.ts';
import { hashFile } from '../streams/cache.ts';
import { findProgram, runProgram } from '../streams/program.ts';
import { goProgramFile, isBuilt } from '../streams/programs.ts';
import { EMPTY_LAYER, makeEstargzLike, makeTinyFiles, makeZeros } from './corner-layers.ts';
import { measure } from './memory.ts';
import { takeApart } from './round-trip.ts';

const MIB = 1024 * 1024;

/** Bytes of the whole process, of which ava and Node have 100 MiB before anything happens. */
const MAX_MEMORY = 512 * MIB;

const core = loadNative();

interface Cost {
  readonly peak: number;
  readonly seconds: number;
}

/** Takes a layer apart and makes it again, and fails the test unless every byte is the same. */
async function checkLayer(
  t: ExecutionContext,
  file: string,
): Promise<{ readonly ingested: IngestedLayer; readonly cost: Cost }> {
  const folder = await mkdtemp(join(tmpdir(), 'mica-corner-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const hash = createHash('sha256');
  const { result: ingested, ...cost } = await measure(async () => {
    const taken = await takeApart(core, file, folder);
    for await (const piece of taken.restoration.read()) hash.update(piece);
    return taken.ingested;
  });
  const { summary, compressor, level, segments, rawSegments, recipeSize, sectionSizes } = ingested;
  const digest = await hashFile(file);
  t.is(summary.digest, `sha256:${digest}`);
  t.is(hash.digest('hex'), digest);
  t.is(summary.diffId, `sha256:${await hashTar(file, folder)}`);
  const kept = `${recipeSize} bytes of recipe, ${sectionSizes.corrections} of corrections`;
  const took = `${cost.seconds.toFixed(1)} s, ${Math.round(cost.peak / MIB)} MiB`;
  t.log(`${compressor} at ${level}: ${summary.size} bytes, ${summary.files} files, ${kept}`);
  t.log(`${rawSegments} of ${segments} segments raw; ${took}`);
  return { ingested, cost };
}

/** SHA-256 of the tar, by gzip and not the core. */
async function hashTar(file: string, folder: string): Promise<string> {
  const tar = join(folder, 'tar');
  await runProgram(['gzip', '-d', '-c'], { input: file, output: tar });
  const digest = await hashFile(tar);
  await rm(tar);
  return digest;
}

/** `test`, or `test.skip` when one of the programs is not there. */
function testWith(...files: readonly (string | undefined)[]): typeof test.serial {
  const isThere = files.every((file) => file !== undefined && isBuilt(file));
  // The processor and the memory are measured: one after the other.
  return isThere ? test.serial : (test.serial.skip as typeof test.serial);
}

testWith(goProgramFile('go-1.26'))('a layer of many members and a footer is exact', async (t) => {
  const { ingested } = await checkLayer(t, await makeEstargzLike());
  t.is(ingested.rawSegments, 0);
});

test.serial("Docker's layer of no files is exact", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'mica-empty-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const file = join(folder, 'layer');
  await writeFile(file, EMPTY_LAYER);
  const { ingested } = await checkLayer(t, file);
  t.like(ingested.summary, {
    digest: 'sha256:a3ed95caeb02ffe68cdd9fd84406680ae93d633cb16422d00e8a7c22955b46d4',
    diffId: 'sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef',
    tarSize: 1024,
    files: 0,
  });
});

testWith(findProgram('gzip'))('a layer of 100,000 files is exact', async (t) => {
  const { ingested, cost } = await checkLayer(t, await makeTinyFiles(100_000));
  t.is(ingested.summary.files, 100_000);
  t.true(cost.peak < MAX_MEMORY);
});

testWith(findProgram('gzip'))('300 MiB of zeros by gzip -9 are exact', async (t) => {
  const { ingested, cost } = await checkLayer(
    t,
    await makeZeros(300, 'gzip-9', ['gzip', '-n', '-9']),
  );
  t.is(ingested.rawSegments, 0);
  t.true(cost.peak < MAX_MEMORY);
});

for (const [program, level] of [
  ['go-1.26', '6'],
  ['go-1.26', '1'],
  ['klauspost-1.20.4', '5'],
] as const) {
  const file = goProgramFile(program);
  testWith(file)(`1,025 MiB of zeros by ${program} at ${level} are exact`, async (t) => {
    const layer = await makeZeros(1_025, `${program}-${level}`, [file, '-level', level]);
    const { ingested, cost } = await checkLayer(t, layer);
    t.is(ingested.rawSegments, 0);
    t.true(cost.peak < MAX_MEMORY);
  });
}
