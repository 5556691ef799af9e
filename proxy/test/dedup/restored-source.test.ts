import { open as openFile, readFile, stat, truncate, unlink, writeFile } from 'node:fs/promises';
import test, { type ExecutionContext } from 'ava';
import type { Core, ReadOptions, Restoration } from 'mica-core/core';
import { RunLimits } from '../../src/dedup/run-limits.ts';
import { type BlobSource, ShortBlobError } from '../../src/store/blob-store.ts';
import { makeBytes, readAll } from '../conformance/blob-store.ts';
import { core, openDedupFolder, openSource, readAt } from './dedup-folder.ts';
import { makeFiles, makeLayer, makeTar, sameBytes } from './layers.ts';

/** A gzip of 8 MB: many parts. */
const LARGE = makeLayer([makeBytes(2_000_000), ...makeFiles(600, 1, 40_000)], 1);
const SMALL = makeLayer(makeFiles(5, 1000, 2000));
/** A tar of 20 MB, which is taken apart at once: more than a window. */
const WIDE = makeTar([makeBytes(20_000_000)]);

/** The core, with what is read of its restorations noted. */
function watched(): { core: Core; reads: ReadOptions[]; given: number[]; open: Set<Restoration> } {
  const reads: ReadOptions[] = [];
  const given: number[] = [];
  const open = new Set<Restoration>();
  const watch = (restoration: Restoration): Restoration => ({
    summary: restoration.summary,
    async *read(options = {}) {
      reads.push(options);
      for await (const piece of restoration.read(options)) {
        given.push(piece.length);
        yield piece;
      }
    },
    close: () => {
      open.delete(restoration);
      return restoration.close();
    },
  });
  const openRestoration: Core['openRestoration'] = async (options) => {
    const restoration = await core.openRestoration(options);
    open.add(restoration);
    return watch(restoration);
  };
  const bound = Object.create(core, { openRestoration: { value: openRestoration } });
  return { core: bind(core, bound), reads, given, open };
}

/** An object over another one whose methods keep their private state. */
function bind(base: Core, over: Core): Core {
  return new Proxy(over, {
    get: (target, key) => {
      const value = Reflect.get(target, key, base);
      return typeof value === 'function' && !Object.hasOwn(target, key) ? value.bind(base) : value;
    },
  });
}

async function open(t: ExecutionContext, layer: Uint8Array, limits?: RunLimits) {
  const seen = watched();
  const folder = await openDedupFolder(t, {
    core: seen.core,
    ...(limits === undefined ? {} : { limits }),
  });
  const digest = await folder.putRecipe(layer);
  seen.reads.length = 0;
  seen.given.length = 0;
  return { ...seen, folder, digest };
}

test('a layer that is only a recipe is read to the bit, whole and in parts', async (t) => {
  const { folder, digest } = await open(t, LARGE);
  const whole = await openSource(folder, digest);
  t.is(whole.size, LARGE.length);
  sameBytes(t, await readAll(whole), LARGE);
  for (const [start, length] of [
    [0, 1],
    [LARGE.length - 1, 5],
    [LARGE.length, 5],
    [1_000_001, 70_000],
    [2_500_000, 2_000_000],
  ] as const) {
    const part = await readAt(whole, start, length);
    sameBytes(t, part, LARGE.subarray(start, start + length));
  }
  whole.close();
  whole.close();
});

test('readers who are near each other share one pass', async (t) => {
  const { folder, digest, reads, given } = await open(t, LARGE);
  const sources = await Promise.all(Array.from({ length: 8 }, () => openSource(folder, digest)));
  const all = await Promise.all(sources.map((each) => readAll(each)));
  for (const bytes of all) sameBytes(t, bytes, LARGE);
  t.is(reads.length, 1);
  t.is(
    given.reduce((sum, length) => sum + length, 0),
    LARGE.length,
  );
  for (const each of sources) each.close();
});

test('nothing is made that nobody asks for, and nothing more when the last reader goes', async (t) => {
  const { folder, digest, given, reads } = await open(t, LARGE);
  const reader = await openSource(folder, digest);
  t.is(given.length, 0);
  await readAt(reader, 0, 10);
  await readAt(reader, 10, 1000);
  t.is(given.length, 1);
  t.false(reads[0]?.signal?.aborted);
  reader.close();
  t.true(reads[0]?.signal?.aborted);
  await t.throwsAsync(reader.read(new Uint8Array(1), 0), { instanceOf: ShortBlobError });
});

test('a reader that goes while its bytes are made leaves those who stay alone', async (t) => {
  const { folder, digest } = await open(t, LARGE);
  const [goes, stays] = await Promise.all([openSource(folder, digest), openSource(folder, digest)]);
  const going = goes.read(new Uint8Array(100), 0);
  const staying = readAll(stays);
  goes.close();
  await going.catch(() => undefined);
  sameBytes(t, await staying, LARGE);
  stays.close();
});

test('a reader far behind the others begins a pass of its own', async (t) => {
  const { folder, digest, reads } = await open(t, WIDE);
  const [first, second] = await Promise.all([
    openSource(folder, digest),
    openSource(folder, digest),
  ]);
  await readAt(first, 15_000_000, 100);
  sameBytes(t, await readAt(second, 0, 1000), WIDE.subarray(0, 1000));
  t.deepEqual(
    reads.map(({ start }) => start),
    [15_000_000, 0],
  );
  first.close();
  second.close();
});

test('more readers at different places than may run are all served', async (t) => {
  const limits = new RunLimits(2);
  const { folder, digest } = await open(t, LARGE, limits);
  const starts = [0, 1_000_000, 2_000_000, 3_000_000, 4_000_000, 0, 1_500_000];
  const sources = await Promise.all(starts.map(() => openSource(folder, digest)));
  const parts = await Promise.all(
    starts.map((start, at) => readAt(sources[at] as BlobSource, start, 900_000)),
  );
  starts.forEach((start, at) => {
    sameBytes(t, parts[at], LARGE.subarray(start, start + 900_000));
  });
  t.true(limits.runs <= 2);
  for (const each of sources) each.close();
  t.is(limits.runs, 0);
});

test('a layer stays open a while after its last reader, and few of them do', async (t) => {
  const { folder, digest, open: opened } = await open(t, SMALL);
  const others = [];
  for (let seed = 2; seed < 8; seed += 1)
    others.push(await folder.putRecipe(makeLayer(makeFiles(5, seed))));
  t.is(opened.size, 0, 'proofs are closed');
  for (const each of [digest, ...others]) {
    const reader = await openSource(folder, each);
    await readAll(reader);
    reader.close();
  }
  await new Promise((resolve) => setImmediate(resolve));
  t.is(opened.size, 4);
  await folder.store.close();
  t.is(opened.size, 0);
});

const DAMAGES: Readonly<Record<string, (pack: string, recipe: string) => Promise<void>>> = {
  'a lost pack': (pack) => unlink(pack),
  'a cut pack': async (pack) => truncate(pack, Math.floor((await stat(pack)).size / 2)),
  'an empty pack': (pack) => truncate(pack, 0),
  'a flipped bit in a pack': (pack) => flip(pack, 0.7),
  'a lost recipe': (_, recipe) => unlink(recipe),
  'a cut recipe': async (_, recipe) => truncate(recipe, Math.floor((await stat(recipe)).size / 2)),
  'a flipped bit in a recipe': (_, recipe) => flip(recipe, 0.4),
};

async function flip(path: string, at: number): Promise<void> {
  const file = await openFile(path, 'r+');
  const position = Math.floor((await file.stat()).size * at);
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, position);
  await file.write(Buffer.of((buffer[0] ?? 0) ^ 4), 0, 1, position);
  await file.close();
}

for (const [name, damage] of Object.entries(DAMAGES)) {
  test(`with ${name} a reader gets right bytes or an error, and the layer is forgotten`, async (t) => {
    const { folder, digest } = await open(t, LARGE);
    await damage(folder.packs.path(1), folder.recipes.path(digest));
    const reader = await folder.store.open(digest);
    if (reader !== undefined) {
      const bytes = new Uint8Array(LARGE.length);
      let position = 0;
      const error = await t.throwsAsync(async () => {
        while (position < bytes.length) {
          position += await reader.read(bytes.subarray(position), position);
        }
      });
      t.true(error instanceof ShortBlobError);
      t.true(Buffer.from(LARGE.subarray(0, position)).equals(bytes.subarray(0, position)));
      reader.close();
    }
    t.is(folder.damaged[0]?.digest, digest);
    t.is(await folder.store.stat(digest), undefined);
    t.is(await folder.store.open(digest), undefined);
  });
}

test('with a flipped bit anywhere in a recipe never a wrong byte is given', async (t) => {
  const { folder, digest } = await open(t, SMALL);
  const recipe = folder.recipes.path(digest);
  const size = (await stat(recipe)).size;
  const kept = await readFile(recipe);
  for (let at = 0; at < size; at += 7) {
    await writeFile(recipe, kept);
    await flip(recipe, at / size);
    const reader = await folder.store.open(digest);
    const bytes = await (reader === undefined ? undefined : readAll(reader).catch(() => undefined));
    t.true(bytes === undefined || Buffer.from(SMALL).equals(bytes), `bit of byte ${at}`);
    reader?.close();
    await folder.restorations.forget(digest);
    await writeFile(recipe, kept);
    if ((await folder.index.getLayer(digest)) !== undefined) continue;
    const again = await folder.put(SMALL);
    t.is((await folder.ingest(again)).kind, 'recipe');
    await folder.whole.remove(again);
  }
});

test('a system that has no descriptors left does not cost the layer', async (t) => {
  const { folder, digest } = await open(t, SMALL);
  const fails = Object.assign(new Error('too many open files'), { code: 'EMFILE' });
  const original = folder.index.locate.bind(folder.index);
  folder.index.locate = () => Promise.reject(fails);
  await t.throwsAsync(folder.store.open(digest), { is: fails });
  folder.index.locate = original;
  const reader = await openSource(folder, digest);
  sameBytes(t, await readAll(reader), SMALL);
  reader.close();
  t.deepEqual(folder.damaged, []);
});
