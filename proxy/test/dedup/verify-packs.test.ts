// What verifyPacks() finds in packs whose bytes were changed, cut off or lost.

import { appendFile, readFile, truncate, unlink, writeFile } from 'node:fs/promises';
import test, { type ExecutionContext } from 'ava';
import { verifyPacks } from '../../src/dedup/verify-packs.ts';
import { core, type DedupFolder, openDedupFolder } from './dedup-folder.ts';
import { makeFiles, makeLayer } from './layers.ts';

const FIRST = makeLayer(makeFiles(10, 1));
const SECOND = makeLayer(makeFiles(10, 500));

async function open(t: ExecutionContext) {
  const folder = await openDedupFolder(t);
  const first = await folder.putRecipe(FIRST);
  const second = await folder.putRecipe(SECOND);
  const { index, packs } = folder;
  const verify = (repair = false) => verifyPacks({ index, packs, core, repair });
  return { folder, first, second, verify, pack: packs.path(1) };
}

async function flip(path: string, at: number): Promise<void> {
  const bytes = await readFile(path);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  await writeFile(path, bytes);
}

/** Repairs as `mica verify` does: layers that cannot be made are taken out. */
async function takeOutDamaged({ store, index }: DedupFolder): Promise<void> {
  for await (const { digest } of index.listLayers()) {
    if ((await store.verify(digest)) === 'damaged') await store.quarantine(digest);
  }
}

test('verifyPacks() finds nothing in whole packs, whatever lies behind their ends', async (t) => {
  const { verify, pack } = await open(t);
  t.deepEqual(await verify(), { packs: 1, damage: [] });
  await appendFile(pack, new Uint8Array(1000));
  t.deepEqual(await verify(), { packs: 1, damage: [] });
});

/** What is done to a pack, and what is said of it. */
const DAMAGES: readonly [string, (path: string) => Promise<void>, RegExp][] = [
  [
    'a flipped bit in its last block',
    async (path) => flip(path, (await readFile(path)).length - 9),
    /^PACK_BODY_CHECKSUM at \d+: 10 of 20 files are lost$/,
  ],
  [
    'a flipped bit in its first block',
    (path) => flip(path, 200),
    /^PACK_BODY_CHECKSUM at 16: 10 of 20/,
  ],
  ['a flipped bit in a header', (path) => flip(path, 20), /^PACK_HEADER_CHECKSUM at 16: 10 of 20/],
  [
    'a cut',
    async (path) => truncate(path, (await readFile(path)).length - 1),
    /^PACK_TRUNCATED at \d+: 10 of 20/,
  ],
  ['no bytes', (path) => truncate(path, 0), /^PACK_TRUNCATED at 0: 20 of 20/],
  ['no file', unlink, /^ENOENT at 0: 20 of 20/],
];

for (const [title, damage, said] of DAMAGES) {
  test(`verifyPacks() finds ${title}, and nothing once its layers were taken out`, async (t) => {
    const { folder, first, second, verify, pack } = await open(t);
    await damage(pack);
    const found = await verify();
    t.is(found.damage.length, 1);
    t.like(found.damage[0], { kind: 'damaged', subject: 'pack 1', isRepaired: false });
    t.regex(found.damage[0]?.reason ?? '', said);
    t.false((await folder.index.getPack(1))?.isSealed);
    t.like((await verify(true)).damage, [{ isRepaired: true }]);
    t.true((await folder.index.getPack(1))?.isSealed, 'nothing more is appended');
    await takeOutDamaged(folder);
    t.deepEqual(await verify(), { packs: 1, damage: [] });
    for (const [digest, layer] of [
      [first, FIRST],
      [second, SECOND],
    ] as const) {
      if ((await folder.store.verify(digest)) === 'whole') continue;
      t.is(await folder.store.stat(digest), undefined, 'it is fetched again');
      await folder.put(layer);
      t.is((await folder.ingest(digest)).kind, 'recipe');
      await folder.whole.remove(digest);
      t.is(await folder.store.verify(digest), 'whole');
    }
    t.deepEqual((await verify()).damage, []);
  });
}

test('verifyPacks() passes over a pack that goes meanwhile', async (t) => {
  const { folder, pack } = await open(t);
  const { index, packs } = folder;
  const checkPack = async (...given: Parameters<typeof core.checkPack>) => {
    for await (const { digest } of index.listLayers()) await folder.store.remove(digest);
    await index.sealPack(1);
    await index.removePack(1);
    await unlink(pack);
    return core.checkPack(...given);
  };
  const found = await verifyPacks({ index, packs, core: { checkPack }, repair: true });
  t.deepEqual(found, { packs: 1, damage: [] });
});
