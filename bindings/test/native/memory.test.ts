// Memory to make a layer again does not grow with the layer. A process of its own is looked at, by its
// peak: how fast the machine is and what else it does change nothing.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import { loadNative } from '../../src/load-native.ts';
import { makeBytes } from '../contract/bytes.ts';
import { makeText } from '../contract/sample-layers.ts';
import { makeTar } from '../contract/tar.ts';
import { takeApart } from '../matrix/round-trip.ts';

const MIB = 1024 * 1024;

/**
 * Bytes that the process may grow by: much more than the 20 MiB that it takes, much less than what V8
 * lets pile up before it frees pieces of the layer.
 */
const MAX_GROWTH = 48 * MIB;

/** More than a restoration keeps in memory, and little enough to make them in. */
const FILES = Array.from({ length: 16 }, (_, index) => ({
  name: `file-${index}`,
  content: Buffer.concat([
    makeBytes(MIB / 2, index + 1),
    Buffer.from(makeText(MIB / 2, index + 1)),
  ]),
}));

const TAR = makeTar(FILES);
const END_SIZE = 1024;

interface Restored {
  readonly growth: number;
  readonly size: number;
  readonly digest: string;
}

const RESTORE = `
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { loadNative } from ${JSON.stringify(new URL('../../src/load-native.js', import.meta.url).href)};
const memory = (key) =>
  1024 * Number(new RegExp(key + ':\\\\s+(\\\\d+) kB').exec(readFileSync('/proc/self/status', 'latin1'))[1]);
const [recipe, pack, places] = process.argv.slice(1);
const core = loadNative({ workers: 1 });
const sha256 = createHash('sha256');
const before = memory('VmRSS');
const options = { recipe, packs: [pack], places: readFileSync(places) };
const restoration = await core.openRestoration(options);
let size = 0;
for await (const piece of restoration.read()) {
  size += piece.length;
  sha256.update(piece);
}
const growth = memory('VmHWM') - before;
const digest = 'sha256:' + sha256.digest('hex');
console.log(JSON.stringify({ growth, size, digest }));
`;

/** Makes a layer again in a process of its own. */
async function restore(files: readonly string[]): Promise<Restored> {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', RESTORE, ...files], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'close')]);
  if (code !== 0) throw new Error(`ended with ${code}`);
  return JSON.parse(output);
}

async function checkGrowth(t: ExecutionContext, layer: readonly Uint8Array[]): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'mica-memory-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const file = join(folder, 'layer');
  await writeFile(file, layer);
  const core = loadNative();
  const { ingested, places, restoration } = await takeApart(core, file, folder);
  await restoration.close();
  await writeFile(join(folder, 'places'), places);
  const restored = await restore(['recipe', 'pack', 'places'].map((name) => join(folder, name)));
  const { size, digest } = ingested.summary;
  t.like(restored, { size, digest });
  t.is(ingested.rawSegments, 0);
  t.log(`${Math.round(size / MIB)} MiB of layer, ${(restored.growth / MIB).toFixed(1)} MiB more`);
  t.true(restored.growth < MAX_GROWTH, `${restored.growth} bytes more`);
}

test.serial('a tar of 256 MiB is made again in little memory', async (t) => {
  const entries = TAR.subarray(0, TAR.length - END_SIZE);
  await checkGrowth(t, [...Array.from({ length: 15 }, () => entries), TAR]);
});

test.serial('a layer of 128 MiB of tar is made again in little memory', async (t) => {
  const member = gzipSync(TAR, { level: 1 });
  await checkGrowth(
    t,
    Array.from({ length: 8 }, () => member),
  );
});
