import { readdir, readFile, writeFile } from 'node:fs/promises';
import test from 'ava';
import { PLACE_SIZE } from 'mica-core/core';
import type { LocatedFiles } from '../../src/dedup/file-index.ts';
import { KnownPlaces } from '../../src/dedup/known-places.ts';
import { Restorations } from '../../src/dedup/restorations.ts';
import type { Digest } from '../../src/oci/digest.ts';
import { digestBytes, makeBytes, readAll } from '../conformance/blob-store.ts';
import { type DedupFolder, openDedupFolder } from './dedup-folder.ts';
import { makeFiles, makeLayer, sameBytes } from './layers.ts';

const DIGEST = digestBytes(makeBytes(10));
const LAYER = makeLayer(makeFiles(300, 1));

function locatedIn(packs: readonly number[], files: number): LocatedFiles {
  return { places: makeBytes(files * PLACE_SIZE), packs, missing: new Uint32Array() };
}

/** Another process, as it were: it knows what is on the disk, and counts look-ups. */
function restart({ core, index, packs, recipes, runtime }: DedupFolder) {
  let lookUps = 0;
  const counting = {
    getLayer: index.getLayer.bind(index),
    placesVersion: index.placesVersion.bind(index),
    locate: (ids: Uint8Array) => {
      lookUps += 1;
      return index.locate(ids);
    },
  };
  const restorations = new Restorations({
    ...{ core, index: counting, packs, recipes, clock: runtime.clock },
    onDamaged: (_, error) => Promise.reject(error),
  });
  const read = async (digest: Digest) => {
    const source = await restorations.open(digest);
    const bytes = source && (await readAll(source));
    source?.close();
    await restorations.close();
    return bytes;
  };
  return { read, lookUps: () => lookUps };
}

test('read() gives what was written, while the index says the same', async (t) => {
  const { recipes, putRecipe } = await openDedupFolder(t);
  const digest = await putRecipe(LAYER);
  const known = new KnownPlaces(recipes);
  const located = locatedIn([7, 70_000], 300);
  await known.write(digest, 'a:1', located);
  t.deepEqual(await known.read(digest, 'a:1', 300), located);
  t.is(await known.read(digest, 'a:2', 300), undefined, 'files have moved');
  t.is(await known.read(digest, 'b:1', 300), undefined, 'another index');
  t.is(await known.read(digest, 'a:1', 299), undefined, 'another recipe');
  t.is(await known.read(DIGEST, 'a:1', 300), undefined);
});

test('read() takes no places that were cut or overwritten', async (t) => {
  const { recipes, putRecipe } = await openDedupFolder(t);
  const digest = await putRecipe(LAYER);
  const known = new KnownPlaces(recipes);
  await known.write(digest, 'a:1', locatedIn([7], 300));
  const path = `${recipes.path(digest)}.places`;
  const right = await readFile(path);
  for (const wrong of [right.subarray(0, 40), right.subarray(1), makeBytes(100), Buffer.alloc(0)]) {
    await writeFile(path, wrong);
    t.is(await known.read(digest, 'a:1', 300), undefined);
  }
  await writeFile(path, Buffer.concat([right, Buffer.alloc(1e6)]));
  t.is(await known.read(digest, 'a:1', 300), undefined, 'too long');
});

test('write() keeps nothing for a few files', async (t) => {
  const { recipes } = await openDedupFolder(t);
  await new KnownPlaces(recipes).write(DIGEST, 'a:1', locatedIn([7], 255));
  t.deepEqual(await readdir(`${recipes.path(DIGEST)}/../..`).catch(() => []), []);
});

test('files of a layer are looked up once, and again when they have moved', async (t) => {
  const folder = await openDedupFolder(t);
  const digest = await folder.put(LAYER);
  t.is((await folder.ingest(digest)).kind, 'recipe');
  await folder.whole.remove(digest);
  const first = restart(folder);
  sameBytes(t, await first.read(digest), LAYER);
  t.is(first.lookUps(), 0, 'who took it apart has kept them');

  const { index } = folder;
  const version = await index.placesVersion();
  const pack = await index.openPack('other');
  const nowhere = { pack: pack.number, packSize: 0, numbers: new Uint32Array() };
  t.true(
    await index.moveFiles(1, new Uint8Array(), new Uint8Array(), {
      ...nowhere,
      places: new Uint8Array(),
    }),
  );
  t.not(await index.placesVersion(), version);
  const second = restart(folder);
  sameBytes(t, await second.read(digest), LAYER);
  t.true(second.lookUps() > 0);
  const third = restart(folder);
  sameBytes(t, await third.read(digest), LAYER);
  t.is(third.lookUps(), 0);
});

test('places go with the recipe', async (t) => {
  const { recipes, store, putRecipe } = await openDedupFolder(t);
  const digest = await putRecipe(LAYER);
  await new KnownPlaces(recipes).write(digest, 'a:1', locatedIn([7], 300));
  const made = recipes.temporary(digest);
  await writeFile(made, 'another recipe');
  await recipes.publish(made, digest);
  t.is(await recipes.readPlaces(digest, 1e6), undefined);
  await recipes.putPlaces(digest, makeBytes(10));
  await store.removeRecipe(digest);
  t.is(await recipes.readPlaces(digest, 1e6), undefined);
});
