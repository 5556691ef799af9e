// Files of layers in packs: appended, chosen, found again.

import { deepStrictEqual, equal, ok } from 'node:assert/strict';
import { readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type Core, FILE_ID_SIZE, PLACE_SIZE } from '../../src/core.ts';
import { makeBytes } from './bytes.ts';
import { type Check, inFolder, rejectsCoreError } from './check.ts';
import {
  joinPlaces,
  type KeptLayer,
  keepLayer,
  openKept,
  placesById,
  readBytes,
  splitIds,
  withRestoration,
} from './kept-layer.ts';
import { countOpen } from './open-files.ts';
import { makeText, SAMPLE_FILES, SAMPLE_TAR } from './sample-layers.ts';
import { makeTar } from './tar.ts';

const SECOND_TAR = makeTar([
  { name: 'other', content: makeText(200_000, 99) },
  ...SAMPLE_FILES.slice(2, 9),
]);

/** A layer without its pack. */
async function ingestSample(
  core: Core,
  folder: string,
): Promise<{ layer: string; recipe: string }> {
  const layer = join(folder, 'layer');
  const recipe = join(folder, 'recipe');
  await writeFile(layer, gzipSync(SAMPLE_TAR));
  await core.ingest(layer, { recipe });
  return { layer, recipe };
}

async function checkKept(core: Core, kept: KeptLayer): Promise<void> {
  const bytes = await readFile(kept.file);
  await withRestoration(openKept(core, kept), async (restoration) => {
    ok((await readBytes(restoration)).equals(bytes));
  });
}

/** Sizes as fileSizes() gives them. */
function splitSizes(sizes: Uint8Array): number[] {
  const view = new DataView(sizes.buffer, sizes.byteOffset, sizes.byteLength);
  return Array.from({ length: sizes.length / 8 }, (_, number) =>
    Number(view.getBigUint64(number * 8, true)),
  );
}

const resultChecks: readonly Check[] = [
  inFolder('fileIds() and fileSizes() tell of all files with content', async (core, folder) => {
    const { recipe } = await ingestSample(core, folder);
    const contents = SAMPLE_FILES.map(({ content }) => content ?? new Uint8Array());
    const filled = contents.filter((content) => content.length > 0);
    const sizes = await core.fileSizes(recipe);
    deepStrictEqual(
      splitSizes(sizes),
      filled.map((content) => content.length),
    );
    deepStrictEqual(
      splitIds(await core.fileIds(recipe)),
      filled.map((content) => core.fileId(content)),
    );
  }),

  inFolder('fileSizes() of a layer without files gives nothing', async (core, folder) => {
    const [layer, recipe] = [join(folder, 'layer'), join(folder, 'recipe')];
    await writeFile(layer, makeTar([]));
    await core.ingest(layer, { recipe });
    equal((await core.fileSizes(recipe)).length, 0);
  }),

  inFolder('packFiles() writes each different file once', async (core, folder) => {
    const { packed, recipe, pack } = await keepLayer(core, folder, SAMPLE_TAR);
    const ids = splitIds(await core.fileIds(recipe));
    const numbers = ids.flatMap((id, number) => (ids.indexOf(id) === number ? [number] : []));
    ok(numbers.length < ids.length, 'there are duplicates');
    deepStrictEqual([...packed.files], numbers);
    ok(packed.files instanceof Uint32Array);
    equal(packed.places.length, numbers.length * PLACE_SIZE);
    equal(packed.start, 0);
    equal(packed.end, (await stat(pack)).size);
  }),

  inFolder('packFiles() appends to a pack', async (core, folder) => {
    const first = await keepLayer(core, folder, gzipSync(SAMPLE_TAR), { name: 'first' });
    const before = await readFile(first.pack);
    const second = await keepLayer(core, folder, SECOND_TAR, { name: 'second' });
    equal(second.packed.start, before.length);
    const after = await readFile(first.pack);
    equal(second.packed.end, after.length);
    ok(after.subarray(0, before.length).equals(before));
    await checkKept(core, first);
    await checkKept(core, second);
  }),

  inFolder('packFiles() writes the files that are asked for', async (core, folder) => {
    const { layer, recipe } = await ingestSample(core, folder);
    const ids = splitIds(await core.fileIds(recipe));
    const places = new Map<string, Uint8Array>();
    const packs: string[] = [];
    for (let pack = 0; pack < 3; pack += 1) {
      const numbers = ids.flatMap((_, number) => (number % 3 === pack ? [number] : []));
      const path = join(folder, `pack-${pack}`);
      // Given in another order than they were made in.
      packs.unshift(path);
      const files = Uint32Array.from(numbers);
      const packed = await core.packFiles(layer, { recipe, pack: path, files });
      deepStrictEqual([...packed.files], numbers);
      for (const [id, place] of placesById(ids, packed, 2 - pack)) places.set(id, place);
    }
    const options = { recipe, packs, places: joinPlaces(ids, places) };
    await withRestoration(core.openRestoration(options), async (restoration) => {
      ok((await readBytes(restoration)).equals(await readFile(layer)));
    });
    equal(await countOpen(folder), 0);
  }),

  inFolder('packFiles() of no files makes an empty pack', async (core, folder) => {
    const { layer, recipe } = await ingestSample(core, folder);
    const pack = join(folder, 'pack');
    const packed = await core.packFiles(layer, { recipe, pack, files: new Uint32Array() });
    equal(packed.files.length, 0);
    equal(packed.places.length, 0);
    equal((await stat(pack)).size, packed.end);
    const again = await core.packFiles(layer, { recipe, pack, files: new Uint32Array() });
    equal(again.start, packed.end);
    equal(again.end, packed.end);
  }),
];

const refusalChecks: readonly Check[] = [
  inFolder('packFiles() refuses numbers of no files', async (core, folder) => {
    const { layer, recipe } = await ingestSample(core, folder);
    const count = (await core.fileIds(recipe)).length / FILE_ID_SIZE;
    const pack = join(folder, 'pack');
    for (const numbers of [[count], [3, 1], [2, 2]]) {
      const job = core.packFiles(layer, { recipe, pack, files: Uint32Array.from(numbers) });
      const got = numbers[numbers.length - 1] ?? 0;
      await rejectsCoreError(job, { code: 'LAYER_FILE_NUMBER', got, expected: count });
    }
    equal(await countOpen(folder), 0);
  }),

  inFolder('packFiles() refuses the recipe of another layer', async (core, folder) => {
    const { recipe } = await ingestSample(core, folder);
    const pack = join(folder, 'pack');
    const layer = join(folder, 'other');
    const other = Buffer.from(SAMPLE_TAR);
    const index = other.indexOf(SAMPLE_FILES[2]?.content ?? '');
    other[index + 100] = 0;
    await writeFile(layer, other);
    await rejectsCoreError(core.packFiles(layer, { recipe, pack }), {
      code: 'LAYER_OTHER_FILE',
      offset: index,
    });
    await writeFile(layer, SAMPLE_TAR.subarray(0, index + 100));
    await rejectsCoreError(core.packFiles(layer, { recipe, pack }), {
      code: 'LAYER_FILE_MISSING',
      offset: index,
    });
    equal(await countOpen(folder), 0);
  }),

  inFolder('packFiles() refuses to append to what is no pack', async (core, folder) => {
    const { layer, recipe } = await ingestSample(core, folder);
    const pack = join(folder, 'pack');
    await writeFile(pack, makeBytes(100));
    await rejectsCoreError(core.packFiles(layer, { recipe, pack }), { code: 'PACK_MAGIC' });
    const whole = join(folder, 'whole');
    await core.packFiles(layer, { recipe, pack: whole });
    await writeFile(pack, (await readFile(whole)).subarray(0, 10));
    await rejectsCoreError(core.packFiles(layer, { recipe, pack }), {
      code: 'PACK_TRUNCATED',
      offset: 10,
      got: 10,
      expected: 16,
    });
    equal((await stat(pack)).size, 10);
  }),

  inFolder(
    "packFiles(), fileIds() and fileSizes() reject with the system's code",
    async (core, folder) => {
      const { layer, recipe } = await ingestSample(core, folder);
      const absent = join(folder, 'absent', 'file');
      const pack = join(folder, 'pack');
      const gone = { code: 'ENOENT', hasCause: true };
      await rejectsCoreError(core.packFiles(absent, { recipe, pack }), gone);
      await rejectsCoreError(core.packFiles(layer, { recipe: absent, pack }), gone);
      await rejectsCoreError(core.packFiles(layer, { recipe, pack: absent }), gone);
      await rejectsCoreError(core.fileIds(absent), gone);
      await rejectsCoreError(core.fileSizes(absent), gone);
      await rename(layer, recipe);
      await rejectsCoreError(core.fileIds(recipe), { code: 'RECIPE_MAGIC', offset: 0 });
      await rejectsCoreError(core.fileSizes(recipe), { code: 'RECIPE_MAGIC', offset: 0 });
      equal(await countOpen(folder), 0);
    },
  ),
];

export const packFilesChecks: readonly Check[] = [...resultChecks, ...refusalChecks];
