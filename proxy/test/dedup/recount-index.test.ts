// What a recount finds in an index whose entries were changed behind its back, and what is right after.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { FileEntry } from '../../src/dedup/file-entry.ts';
import { changeTotals, type FileTables, openFileTables } from '../../src/dedup/file-tables.ts';
import { type LmdbFileIndex, openLmdbFileIndex } from '../../src/dedup/lmdb-file-index.ts';
import { type LmdbEnvironment, openLmdbEnvironment } from '../../src/store/lmdb-environment.ts';
import { bringLayer, idsOf, wholeOf } from '../conformance/file-index-samples.ts';
import { digestNumber } from '../conformance/index.ts';
import { recount } from './recount.ts';

interface Opened {
  readonly environment: LmdbEnvironment;
  readonly index: LmdbFileIndex;
  readonly tables: FileTables;
}

function numbers(start: number, end: number): number[] {
  return Array.from({ length: end - start }, (_, at) => start + at);
}

async function open(t: ExecutionContext): Promise<Opened> {
  const folder = await mkdtemp(join(tmpdir(), 'mica-recount-'));
  const environment = await openLmdbEnvironment({ folder });
  const index = openLmdbFileIndex({ environment, now: () => 1e9, sliceLength: 4 });
  t.teardown(async () => {
    await index.close();
    await environment.close();
    await rm(folder, { recursive: true });
  });
  await bringLayer(index, { digest: digestNumber(1), files: numbers(0, 10), owner: 'test' });
  await bringLayer(index, { digest: digestNumber(2), files: numbers(5, 15), owner: 'test' });
  await index.putWhole(digestNumber(3), wholeOf('ZSTD_OTHER_COMPRESSOR'));
  return { environment, index, tables: openFileTables(environment) };
}

function changeFile({ files }: FileTables, file: number, change: (entry: FileEntry) => void): void {
  const id = idsOf([file]);
  const entry = new FileEntry(Uint8Array.from(files.get(id) ?? []));
  change(entry);
  files.putSync(id, entry.bytes);
}

/** Title, what is done to the index, and what is said of it. */
const DAMAGES: readonly [string, (tables: FileTables) => void, RegExp][] = [
  [
    'a file with too many references',
    (tables) =>
      changeFile(tables, 1, (entry) => {
        entry.references = 7;
      }),
    /wrong number of references/,
  ],
  [
    'a file with too few references',
    (tables) =>
      changeFile(tables, 6, (entry) => {
        entry.references = 1;
      }),
    /wrong number of references/,
  ],
  [
    'a file that no layer has',
    (tables) => {
      const entry = FileEntry.make(new Uint8Array(16).fill(3), 1, 50);
      tables.files.putSync(idsOf([77]), entry.bytes);
    },
    /wrong number of references/,
  ],
  [
    'references that are nobody’s',
    (tables) => {
      const [first] = [...tables.references.getRange({ limit: 1 })];
      tables.references.putSync([99, 0], first?.value ?? new Uint8Array());
    },
    /nobody's/,
  ],
  [
    'a file that is lost from the order of its pack',
    (tables) => {
      const [first] = [...tables.placed.getKeys({ limit: 1 })];
      if (first !== undefined) tables.placed.removeSync(first);
    },
    /out of the order/,
  ],
  [
    'a place without a file',
    (tables) => tables.placed.putSync(new Uint8Array(16).fill(9), idsOf([1])),
    /places without a file/,
  ],
  [
    'live bytes of a pack',
    (tables) => {
      const pack = tables.packs.get(1);
      if (pack !== undefined) tables.packs.putSync(1, { ...pack, liveSize: 1, plainSize: 1 });
    },
    /live bytes of pack 1/,
  ],
  [
    'sums',
    (tables) =>
      changeTotals(tables, (totals) => {
        totals.recipes += 1;
        totals.packSize -= 10;
        totals.queued += 2;
        totals.files = 3;
        totals.reasons = { OTHER: 4 };
      }),
    /sum of packSize.*layers for OTHER/,
  ],
  ['no sums', (tables) => tables.totals.removeSync('totals'), /sum of recipes/],
];

for (const [title, damage, said] of DAMAGES) {
  test(`recount() finds and mends ${title}`, async (t) => {
    const { environment, index, tables } = await open(t);
    const before = await index.totals();
    t.deepEqual(await index.recount(false), []);
    await environment.write(() => damage(tables));
    const found = await index.recount(false);
    t.regex(JSON.stringify(found), said);
    t.deepEqual(await index.recount(false), found, 'nothing was mended without being asked for');
    t.deepEqual(await index.recount(true), found);
    t.deepEqual(await index.recount(false), []);
    t.deepEqual(recount(environment), []);
    t.deepEqual(await index.totals(), before);
  });
}

test('recount() loses no commit and no removal that comes while it counts', async (t) => {
  const { environment, index, tables } = await open(t);
  for (const number of [1, 6, 12]) {
    await environment.write(() =>
      changeFile(tables, number, (entry) => {
        entry.references += 3;
      }),
    );
  }
  await environment.write(() =>
    changeTotals(tables, (totals) => {
      totals.recipes += 5;
    }),
  );
  const counting = index.recount(true);
  await Promise.all([
    bringLayer(index, {
      digest: digestNumber(4),
      files: [...numbers(0, 4), ...numbers(20, 40)],
      owner: 'test',
    }),
    index.removeLayer(digestNumber(2)),
    index.enqueue(digestNumber(5), 7),
  ]);
  t.true((await counting).length >= 2);
  t.deepEqual(await index.recount(false), []);
  t.deepEqual(recount(environment), []);
  t.is((await index.totals()).layers.recipes, 2);
});

test('isMadeOf() compares a layer with what its recipe says', async (t) => {
  const { index } = await open(t);
  const layer = digestNumber(1);
  t.true(await index.isMadeOf(layer, idsOf(numbers(0, 10))));
  t.true(await index.isMadeOf(layer, idsOf(numbers(0, 10).reverse())), 'in any order');
  t.false(await index.isMadeOf(layer, idsOf(numbers(0, 11))), 'one more');
  t.false(await index.isMadeOf(layer, idsOf(numbers(0, 9))), 'one less');
  t.false(await index.isMadeOf(layer, idsOf([...numbers(0, 10), 3])), 'one of them twice');
  t.true(await index.isMadeOf(digestNumber(9), idsOf([1])), 'a layer that is not there');
});
