// Layers taken apart and made again.

import { deepStrictEqual, equal, ok } from 'node:assert/strict';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import type { Core } from '../../src/core.ts';
import { makeBytes } from './bytes.ts';
import { type Check, inFolder, rejectsCoreError } from './check.ts';
import { digestOf } from './hashes.ts';
import { keepLayer, openKept, readBytes, splitIds, withRestoration } from './kept-layer.ts';
import { countOpen } from './open-files.ts';
import { makeText, SAMPLE_FILES, SAMPLE_TAR, sampleLayers, zstdLayer } from './sample-layers.ts';
import { makeTar } from './tar.ts';

/** Ranges within `size` bytes, among them those at the borders. */
function rangesOf(size: number): readonly (readonly [number, number])[] {
  const middle = size >> 1;
  const last = Math.max(0, size - 1);
  const fixed = [
    [0, 1],
    [middle, middle],
    [middle, middle + 1],
    [last, size],
  ] as const;
  const numbers = makeBytes(40, size + 1);
  const at = (index: number): number =>
    Math.floor((((numbers[index] ?? 0) * 256 + (numbers[index + 1] ?? 0)) / 65_536) * size);
  const chosen = Array.from(
    { length: 8 },
    (_, index) => [at(index * 4), at(index * 4 + 2)] as const,
  );
  return [...fixed, ...chosen].filter(([start, end]) => start <= end && end <= size);
}

/** Keeps a layer and compares all that comes out with it. */
async function checkLayer(core: Core, folder: string, bytes: Uint8Array): Promise<void> {
  const kept = await keepLayer(core, folder, bytes);
  const { summary } = kept.ingested;
  equal(summary.size, bytes.length);
  equal(summary.digest, digestOf('sha256', bytes));
  equal(kept.ingested.recipeSize, (await stat(kept.recipe)).size);
  await withRestoration(openKept(core, kept), async (restoration) => {
    deepStrictEqual(restoration.summary, summary);
    ok((await readBytes(restoration)).equals(bytes), 'the layer is made again');
    for (const [start, end] of rangesOf(bytes.length)) {
      const range = await readBytes(restoration, { start, end });
      ok(range.equals(bytes.subarray(start, end)), `bytes ${start} to ${end}`);
    }
  });
  equal(await countOpen(folder), 0);
}

/** Layers whose tars are the samples', with what is in them. */
const summaryChecks: readonly Check[] = [
  inFolder('ingest() tells of a layer what is in it', async (core, folder) => {
    const bytes = gzipSync(SAMPLE_TAR, { level: 9 });
    const { ingested, recipe } = await keepLayer(core, folder, bytes);
    const files = SAMPLE_FILES.filter(({ content }) => content.length > 0);
    deepStrictEqual(ingested.summary, {
      encoding: 'gzip',
      digest: digestOf('sha256', bytes),
      size: bytes.length,
      diffId: digestOf('sha256', SAMPLE_TAR),
      tarSize: SAMPLE_TAR.length,
      files: files.length,
    });
    equal(
      ingested.fileSize,
      files.reduce((sum, { content }) => sum + content.length, 0),
    );
    const ids = splitIds(await core.fileIds(recipe));
    deepStrictEqual(
      ids,
      files.map(({ content }) => core.fileId(content)),
    );
    const sizes = Object.values(ingested.sectionSizes);
    ok(sizes.reduce((sum, size) => sum + size, 0) < ingested.recipeSize);
    ok(sizes.every((size) => size >= 0));
  }),

  inFolder('ingest() takes the digest that is asked for', async (core, folder) => {
    const layer = join(folder, 'layer');
    await writeFile(layer, SAMPLE_TAR);
    const recipe = join(folder, 'recipe');
    const { summary } = await core.ingest(layer, { recipe, algorithm: 'sha512' });
    equal(summary.digest, digestOf('sha512', SAMPLE_TAR));
    equal(summary.diffId, digestOf('sha256', SAMPLE_TAR));
  }),

  inFolder('ingest() makes the same recipe each time', async (core, folder) => {
    const bytes = gzipSync(SAMPLE_TAR);
    const one = await keepLayer(core, folder, bytes, { name: 'one' });
    const recipe = join(folder, 'two.recipe');
    await writeFile(recipe, makeBytes(5_000_000));
    deepStrictEqual(await core.ingest(one.file, { recipe }), one.ingested);
    ok((await readFile(recipe)).equals(await readFile(one.recipe)));
  }),

  inFolder('ingest() makes the same recipe when it is proven later', async (core, folder) => {
    const { file, ingested, recipe } = await keepLayer(core, folder, gzipSync(SAMPLE_TAR));
    const later = join(folder, 'later.recipe');
    deepStrictEqual(await core.ingest(file, { recipe: later, isProvenLater: true }), ingested);
    ok((await readFile(later)).equals(await readFile(recipe)));
  }),

  inFolder(
    'ingest() makes the same recipe of a long layer that is proven later',
    async (core, folder) => {
      // After some mebibytes it takes the model to be right.
      const tar = makeTar([{ name: 'long', content: makeText(15_000_000, 3) }]);
      const { file, ingested, recipe } = await keepLayer(core, folder, gzipSync(tar));
      const later = join(folder, 'later.recipe');
      deepStrictEqual(await core.ingest(file, { recipe: later, isProvenLater: true }), ingested);
      ok((await readFile(later)).equals(await readFile(recipe)));
    },
  ),

  inFolder('ingest() tells its progress up to the end', async (core, folder) => {
    const layer = join(folder, 'layer');
    await writeFile(layer, SAMPLE_TAR);
    const told: number[] = [];
    const onProgress = (done: number): void => {
      told.push(done);
    };
    await core.ingest(layer, { recipe: join(folder, 'recipe'), onProgress });
    ok(told.length > 0);
    ok(told.every((done, index) => done > (told[index - 1] ?? 0) && done <= SAMPLE_TAR.length));
  }),
];

const ZSTD = await zstdLayer('zstd-3');

/** Streams that cannot be read to their end: how they are made, and what is said of them. */
const BROKEN: readonly (readonly [string, () => Uint8Array, string])[] = [
  ['cut off in its header', () => gzipSync(SAMPLE_TAR).subarray(0, 7), 'LAYER_GZIP'],
  ['cut off in its stream', () => gzipSync(SAMPLE_TAR).subarray(0, 50_000), 'LAYER_DEFLATE'],
  ['cut off in its trailer', () => gzipSync(SAMPLE_TAR).subarray(0, -3), 'LAYER_GZIP'],
  ['with another checksum', () => withByte(gzipSync(SAMPLE_TAR), -8), 'LAYER_CRC'],
  ['with another size', () => withByte(gzipSync(SAMPLE_TAR), -4), 'LAYER_SIZE'],
  ['of zstd cut off in a block', () => ZSTD.subarray(0, 5000), 'LAYER_ZSTD'],
  ['of zstd cut off in its header', () => ZSTD.subarray(0, 5), 'LAYER_ZSTD'],
  ['of zstd with another checksum', () => withByte(ZSTD, -1), 'LAYER_ZSTD'],
  [
    'of zstd with an impossible window',
    () => Uint8Array.of(...ZSTD.subarray(0, 5), 0xff),
    'LAYER_ZSTD',
  ],
];

function withByte(bytes: Uint8Array, index: number): Uint8Array {
  const changed = Buffer.from(bytes);
  const at = bytes.length + index;
  changed[at] = (changed[at] ?? 0) ^ 1;
  return changed;
}

const refusalChecks: readonly Check[] = [
  ...BROKEN.map(([title, make, code]) =>
    inFolder(`ingest() refuses a layer ${title}`, async (core, folder) => {
      const layer = join(folder, 'layer');
      await writeFile(layer, make());
      const error: unknown = await core.ingest(layer, { recipe: join(folder, 'recipe') }).then(
        () => undefined,
        (problem) => problem,
      );
      ok(error instanceof Error && 'code' in error, 'it rejects');
      equal(error.code, code);
      const inner = error.cause instanceof Error && 'offset' in error.cause ? error.cause : error;
      ok('offset' in inner && Number.isSafeInteger(inner.offset), 'it tells where');
      equal(await countOpen(folder), 0);
    }),
  ),

  inFolder('ingest() stops at the limit of the tar', async (core, folder) => {
    const layer = join(folder, 'bomb');
    const bomb = gzipSync(new Uint8Array(50_000_000), { level: 9 });
    await writeFile(layer, bomb);
    const recipe = join(folder, 'recipe');
    const job = core.ingest(layer, { recipe, tarLimit: 1_000_000 });
    await rejectsCoreError(job, { code: 'LAYER_TAR_LIMIT', expected: 1_000_000 });
    await writeFile(layer, gunzipSync(bomb));
    const plain = core.ingest(layer, { recipe, tarLimit: 1_000_000 });
    await rejectsCoreError(plain, { code: 'LAYER_TAR_LIMIT', expected: 1_000_000 });
    equal(await countOpen(folder), 0);
  }),

  inFolder("ingest() rejects with the system's code", async (core, folder) => {
    const layer = join(folder, 'layer');
    await writeFile(layer, SAMPLE_TAR);
    const recipe = join(folder, 'absent', 'recipe');
    await rejectsCoreError(core.ingest(layer, { recipe }), { code: 'ENOENT', hasCause: true });
    const absent = core.ingest(join(folder, 'none'), { recipe: join(folder, 'recipe') });
    await rejectsCoreError(absent, { code: 'ENOENT', hasCause: true });
    const onFolder = core.ingest(layer, { recipe: folder });
    await rejectsCoreError(onFolder, { code: 'EISDIR', hasCause: true });
    equal(await countOpen(folder), 0);
  }),
];

const content = fc.oneof(
  fc.uint8Array({ maxLength: 600 }),
  fc.nat({ max: 60_000 }).map((size) => new Uint8Array(size).fill(size)),
  fc.nat({ max: 60_000 }).map((size) => makeBytes(size, size + 1)),
  fc.stringMatching(/^[a-c \n]{0,2000}$/).map((text) => Buffer.from(text)),
);

const tarFiles = fc.array(fc.record({ name: fc.stringMatching(/^[a-z]{1,20}$/), content }), {
  maxLength: 12,
});

const gzipOptions = fc.record({
  level: fc.integer({ min: 0, max: 9 }),
  memLevel: fc.integer({ min: 1, max: 9 }),
  windowBits: fc.integer({ min: 9, max: 15 }),
  strategy: fc.integer({ min: 0, max: 4 }),
});

const lawChecks: readonly Check[] = [
  inFolder('any tar in any gzip comes out as it went in', async (core, folder) => {
    let number = 0;
    const law = fc.asyncProperty(
      tarFiles,
      gzipOptions,
      fc.boolean(),
      async (files, options, is) => {
        number += 1;
        const tar = makeTar(files);
        const bytes = is ? gzipSync(tar, options) : tar;
        const kept = await keepLayer(core, folder, bytes, { name: `layer-${number}` });
        await withRestoration(openKept(core, kept), async (restoration) => {
          ok((await readBytes(restoration)).equals(bytes));
        });
      },
    );
    await fc.assert(law, { numRuns: 25 });
    equal(await countOpen(folder), 0);
  }),
];

const sampleChecks = (await sampleLayers()).map(({ name, bytes, encoding }) =>
  inFolder(`a layer comes out as it went in: ${name}`, async (core, folder) => {
    await checkLayer(core, folder, bytes);
    const { summary } = await core.ingest(join(folder, 'layer'), { recipe: join(folder, 'again') });
    equal(summary.encoding, encoding);
  }),
);

/** Layers that are not made again, with the code that says why. */
const INEXACT = [
  ['zstd-klauspost', 'ZSTD_OTHER_COMPRESSOR'],
  ['zstd-skippable', 'ZSTD_SKIPPABLE_FRAME'],
] as const;

const LEVELS = { 'zstd-3': 3, 'zstd-19': 19, 'zstd-fast': -2 };

const zstdChecks: readonly Check[] = [
  ...INEXACT.map(([name, code]) =>
    inFolder(
      `ingest() knows the files of a layer that stays whole: ${name}`,
      async (core, folder) => {
        const bytes = await zstdLayer(name);
        const kept = await keepLayer(core, folder, bytes);
        const { summary, inexact, compressor } = kept.ingested;
        equal(summary.encoding, 'zstd');
        equal(summary.digest, digestOf('sha256', bytes));
        equal(inexact?.code, code);
        equal(compressor, undefined);
        const ids = splitIds(await core.fileIds(kept.recipe));
        equal(ids.length, summary.files);
        ok(kept.packed.files.length > 0);
        await rejectsCoreError(openKept(core, kept), { code: 'RESTORE_INEXACT', hasCause: true });
        equal(await countOpen(folder), 0);
      },
    ),
  ),

  inFolder('ingest() tells the level of libzstd', async (core, folder) => {
    for (const [name, level] of Object.entries(LEVELS)) {
      const { ingested } = await keepLayer(core, folder, await zstdLayer(name), { name });
      deepStrictEqual([ingested.compressor, ingested.level], ['zstd', level]);
      equal(ingested.inexact, undefined);
    }
  }),
];

export const layerChecks: readonly Check[] = [
  ...zstdChecks,
  ...summaryChecks,
  ...sampleChecks,
  ...lawChecks,
  ...refusalChecks,
];
