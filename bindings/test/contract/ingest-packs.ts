// Files packed while their layer is taken apart. A core may leave all of them to packFiles().

import { deepStrictEqual, equal, ok, rejects } from 'node:assert/strict';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import {
  type Core,
  FILE_ID_SIZE,
  type IngestedLayer,
  type IngestPackOptions,
  type PackedFiles,
} from '../../src/core.ts';
import { type Check, inFolder, rejectsCoreError } from './check.ts';
import {
  joinPlaces,
  keepLayer,
  placesById,
  readBytes,
  splitIds,
  withRestoration,
} from './kept-layer.ts';
import { countOpen } from './open-files.ts';
import { makeText, SAMPLE_FILES, SAMPLE_TAR, sampleLayers } from './sample-layers.ts';
import { makeTar } from './tar.ts';

const LAYER = gzipSync(SAMPLE_TAR);

/** More text than is kept while an answer is under way (32 MiB), in files of which each is kept. */
const LONG_TAR = makeTar(
  Array.from({ length: 12 }, (_, index) => ({
    name: `file-${index}`,
    content: Buffer.alloc(4_000_000, `${index} `),
  })),
);

/** Says what is missing by ids in hex, and remembers what it was asked. */
class Known {
  readonly asked: string[] = [];
  readonly #isMissing: (id: string) => boolean;

  constructor(isMissing: (id: string) => boolean = () => true) {
    this.#isMissing = isMissing;
  }

  readonly missing = async (ids: Uint8Array): Promise<Uint32Array> => {
    const asked = splitIds(ids);
    this.asked.push(...asked);
    await setImmediate();
    return Uint32Array.from(
      asked.flatMap((id, position) => (this.#isMissing(id) ? [position] : [])),
    );
  };
}

/** Numbers of the different files that are in no pack yet. */
function restOf(ids: readonly string[], packed: PackedFiles | undefined): Uint32Array {
  const known = new Set(Array.from(packed?.files ?? [], (number) => ids[number]));
  return Uint32Array.from(
    ids.flatMap((id, number) => {
      if (known.has(id)) return [];
      known.add(id);
      return [number];
    }),
  );
}

/** Packs what ingest() left out, and compares the layer that comes out. */
async function checkWhole(
  core: Core,
  [layer, recipe, pack]: readonly [string, string, string],
  packed: PackedFiles | undefined,
): Promise<void> {
  const ids = splitIds(await core.fileIds(recipe));
  const files = restOf(ids, packed);
  const rest = await core.packFiles(layer, { recipe, pack, files });
  if (packed !== undefined) equal(rest.start, packed.end);
  const known = packed === undefined ? new Map<string, Uint8Array>() : placesById(ids, packed);
  const places = joinPlaces(ids, new Map([...known, ...placesById(ids, rest)]));
  const opening = core.openRestoration({ recipe, packs: [pack], places });
  await withRestoration(opening, async (restoration) => {
    ok((await readBytes(restoration)).equals(await readFile(layer)));
  });
  equal(await countOpen(join(layer, '..')), 0);
}

async function writeLayer(folder: string, bytes: Uint8Array): Promise<[string, string, string]> {
  const layer = join(folder, 'layer');
  await writeFile(layer, bytes);
  return [layer, join(folder, 'new-recipe'), join(folder, 'new-pack')];
}

/** Takes the sample apart with something that answers. */
async function ingestSample(
  core: Core,
  folder: string,
  missing: IngestPackOptions['missing'],
  bytes: Uint8Array = LAYER,
): Promise<IngestedLayer> {
  const [layer, recipe, path] = await writeLayer(folder, bytes);
  return await core.ingest(layer, { recipe, pack: { path, missing } });
}

/** Whether a core packs anything in that pass. */
async function isPacking(core: Core, folder: string): Promise<boolean> {
  const known = new Known();
  const { packed } = await ingestSample(core, folder, known.missing);
  equal(packed !== undefined, known.asked.length > 0);
  return packed !== undefined;
}

const resultChecks: readonly Check[] = [
  inFolder('ingest() packs what is missing, as packFiles() does', async (core, folder) => {
    const kept = await keepLayer(core, folder, LAYER);
    const isOdd = (id: string): boolean => Number.parseInt(id.slice(0, 2), 16) % 2 === 1;
    const [layer, recipe, pack] = await writeLayer(folder, LAYER);
    const known = new Known(isOdd);
    const options = { path: pack, missing: known.missing };
    const { packed, ...ingested } = await core.ingest(layer, { recipe, pack: options });
    deepStrictEqual(ingested, kept.ingested);
    ok((await readFile(recipe)).equals(await readFile(kept.recipe)));
    const ids = splitIds(await core.fileIds(recipe));
    if (packed !== undefined) {
      deepStrictEqual(known.asked, [...new Set(ids)], 'each different file is asked for once');
      const wanted = [...new Set(ids)].filter(isOdd).map((id) => ids.indexOf(id));
      deepStrictEqual([...packed.files], wanted);
      ok(packed.files instanceof Uint32Array);
      equal(packed.end, (await stat(pack)).size);
      const other = join(folder, 'other-pack');
      deepStrictEqual(
        await core.packFiles(layer, { recipe, pack: other, files: Uint32Array.from(wanted) }),
        packed,
      );
      ok((await readFile(other)).equals(await readFile(pack)));
    }
    await checkWhole(core, [layer, recipe, pack], packed);
  }),

  ...(await sampleLayers()).map(({ name, bytes, encoding }) =>
    inFolder(`ingest() packs the files of a layer: ${name}`, async (core, folder) => {
      const [layer, recipe, pack] = await writeLayer(folder, bytes);
      const options = { path: pack, missing: new Known().missing };
      const { packed, inexact } = await core.ingest(layer, { recipe, pack: options });
      if (encoding === 'zstd') equal(packed, undefined, 'most of them stay whole');
      if (inexact === undefined) await checkWhole(core, [layer, recipe, pack], packed);
      equal(await countOpen(folder), 0);
    }),
  ),

  inFolder('ingest() appends to a pack', async (core, folder) => {
    const { pack: first } = await keepLayer(core, folder, LAYER);
    const before = await readFile(first);
    const [layer, recipe] = await writeLayer(folder, makeTar(SAMPLE_FILES.slice(3, 9)));
    const options = { path: first, missing: new Known().missing };
    const { packed } = await core.ingest(layer, { recipe, pack: options });
    equal(packed?.start ?? before.length, before.length);
    ok((await readFile(first)).subarray(0, before.length).equals(before));
    await checkWhole(core, [layer, recipe, first], packed);
  }),

  inFolder('ingest() waits for answers when it can keep no more', async (core, folder) => {
    const [layer, recipe, path] = await writeLayer(folder, LONG_TAR);
    const known = new Known();
    let calls = 0;
    const missing = async (ids: Uint8Array): Promise<Uint32Array> => {
      equal(calls, 0, 'one call at a time');
      calls += 1;
      for (let turn = 0; turn < 50; turn += 1) await setImmediate();
      calls -= 1;
      return await known.missing(ids);
    };
    const { packed } = await core.ingest(layer, { recipe, pack: { path, missing } });
    if (packed !== undefined) equal(packed.files.length, 12);
    await checkWhole(core, [layer, recipe, path], packed);
  }),

  inFolder('ingest() leaves files out that are too large to be kept', async (core, folder) => {
    const small = { name: 'small', content: makeText(5000, 1) };
    const large = { name: 'large', content: Buffer.alloc(40_000_000, 'large ') };
    const last = { name: 'last', content: makeText(5000, 2) };
    const [layer, recipe, path] = await writeLayer(folder, makeTar([small, large, last]));
    const options = { path, missing: new Known().missing };
    const { packed } = await core.ingest(layer, { recipe, pack: options });
    if (packed !== undefined) deepStrictEqual([...packed.files], [0, 2]);
    await checkWhole(core, [layer, recipe, path], packed);
  }),

  inFolder('ingest() packs nothing of a layer whose files are known', async (core, folder) => {
    const { packed } = await ingestSample(core, folder, new Known(() => false).missing);
    equal(packed?.files.length ?? 0, 0);
    equal(packed?.places.length ?? 0, 0);
  }),
];

const refusalChecks: readonly Check[] = [
  inFolder('ingest() ends with what missing() rejects with', async (core, folder) => {
    if (!(await isPacking(core, folder))) return;
    const reason = new Error('of the caller');
    const failing: readonly IngestPackOptions['missing'][] = [
      () => Promise.reject(reason),
      () => {
        throw reason;
      },
    ];
    for (const missing of failing) {
      await rejects(ingestSample(core, folder, missing), (error) => error === reason);
      equal(await countOpen(folder), 0);
    }
  }),

  inFolder('ingest() refuses positions that are none, or do not ascend', async (core, folder) => {
    if (!(await isPacking(core, folder))) return;
    const expected = SAMPLE_FILES.filter(({ content }) => content.length > 0).length - 2;
    for (const wanted of [[expected], [3, 1], [2, 2]]) {
      const got = wanted[wanted.length - 1] ?? 0;
      const job = ingestSample(core, folder, (ids) => {
        equal(ids.length / FILE_ID_SIZE, expected);
        return Promise.resolve(Uint32Array.from(wanted));
      });
      await rejectsCoreError(job, { code: 'LAYER_FILE_NUMBER', got, expected });
      equal(await countOpen(folder), 0);
    }
  }),

  inFolder('ingest() refuses to append to what is no pack', async (core, folder) => {
    if (!(await isPacking(core, folder))) return;
    const pack = join(folder, 'new-pack');
    await writeFile(pack, 'no pack at all, but long enough');
    const job = ingestSample(core, folder, new Known().missing);
    await rejects(job, { code: 'PACK_MAGIC' });
    await writeFile(pack, 'MICAP');
    const short = ingestSample(core, folder, new Known().missing);
    await rejects(short, { code: 'PACK_TRUNCATED' });
    equal((await stat(pack)).size, 5);
    const [layer, recipe] = await writeLayer(folder, LAYER);
    const absent = { path: join(folder, 'absent', 'pack'), missing: new Known().missing };
    const gone = { code: 'ENOENT', hasCause: true };
    await rejectsCoreError(core.ingest(layer, { recipe, pack: absent }), gone);
    equal(await countOpen(folder), 0);
  }),

  inFolder('ingest() can be aborted while an answer is under way', async (core, folder) => {
    if (!(await isPacking(core, folder))) return;
    for (const bytes of [LAYER, LONG_TAR]) {
      const [layer, recipe, path] = await writeLayer(folder, bytes);
      const controller = new AbortController();
      const reason = new Error('enough');
      const missing = async (): Promise<Uint32Array> => {
        await setImmediate();
        controller.abort(reason);
        return await new Promise(() => undefined);
      };
      const { signal } = controller;
      const job = core.ingest(layer, { recipe, pack: { path, missing }, signal });
      await rejects(job, (error) => error === reason);
      equal(await countOpen(folder), 0);
    }
  }),
];

export const ingestPackChecks: readonly Check[] = [...resultChecks, ...refusalChecks];
