import test, { type ExecutionContext } from 'ava';
import { RunLimits } from '../../src/dedup/run-limits.ts';
import type { Digest } from '../../src/oci/digest.ts';
import { BEGUN_MS, type BeginAheadOptions, beginAhead } from '../../src/replica/begin-ahead.ts';
import { BEGUN_SIZE } from '../../src/replica/choose-ahead.ts';
import { makeBytes } from '../conformance/blob-store.ts';
import { type DedupFolder, openDedupFolder, readThrough } from '../dedup/dedup-folder.ts';
import { makeTar, sameBytes } from '../dedup/layers.ts';
import { FakeClock } from '../doubles/fake-clock.ts';

/** More than what is made of it ahead. */
const LAYER = makeTar([makeBytes(4 * BEGUN_SIZE)]);

async function open(t: ExecutionContext, limits?: RunLimits) {
  const folder: DedupFolder = await openDedupFolder(t, limits === undefined ? {} : { limits });
  const digest = await folder.putRecipe(LAYER);
  const clock = new FakeClock();
  const begin = async (one: Digest, options: Partial<BeginAheadOptions> = {}) => {
    const run = await folder.restorations.begin(one);
    if (run === undefined) return undefined;
    const ending = new AbortController().signal;
    const pause = () => Promise.resolve();
    const signal = new AbortController().signal;
    return { run, isMade: beginAhead({ run, clock, ending, pause, ...options }, signal) };
  };
  return { folder, digest, clock, begin };
}

test('the beginning is made, and a reader goes on from it in the same run', async (t) => {
  const limits = new RunLimits();
  const { folder, digest, clock, begin } = await open(t, limits);
  const begun = await begin(digest);
  t.true(await begun?.isMade);
  const length = begun?.run.length ?? 0;
  t.true(length >= BEGUN_SIZE && length < 2 * BEGUN_SIZE);
  t.is(limits.runs, 1);
  sameBytes(t, await readThrough(folder, digest), LAYER);
  t.is(limits.runs, 1, 'it is still kept');
  await clock.advance(BEGUN_MS);
  t.is(limits.runs, 0);
  t.false(folder.restorations.isReading(digest));
});

test('what was made when it is not wanted any more stays for who asked', async (t) => {
  const { folder, digest, clock, begin } = await open(t);
  const begun = await begin(digest, { pause: () => Promise.reject(new Error('asked for')) });
  await t.throwsAsync(async () => await begun?.isMade, { message: 'asked for' });
  t.true((begun?.run.length ?? 0) > 0);
  t.true(folder.restorations.isReading(digest));
  await clock.advance(BEGUN_MS);
  t.false(folder.restorations.isReading(digest));
});

test('nothing is kept once Mica stops', async (t) => {
  const ending = new AbortController();
  const { folder, digest, begin } = await open(t);
  t.true(await (await begin(digest, { ending: ending.signal }))?.isMade);
  ending.abort();
  await Promise.resolve();
  await Promise.resolve();
  t.false(folder.restorations.isReading(digest));
});

test('nothing is begun that is no recipe, or that would take memory from who reads', async (t) => {
  const { digest, begin } = await open(t, new RunLimits(2));
  t.is(await begin('sha256:00' as Digest), undefined);
  t.true(await (await begin(digest))?.isMade);
  t.is(await begin(digest), undefined);
});

test('damage that is found is told of', async (t) => {
  const { folder, digest, begin } = await open(t);
  const restoration = await folder.restorations.openAlone(digest);
  await restoration.close();
  for await (const { number } of folder.packs.list())
    await folder.runtime.files.open(folder.packs.path(number), 'update').then(async (file) => {
      await file.truncate(100);
      await file.close();
    });
  const begun = await begin(digest);
  t.false(await begun?.isMade);
  t.is(folder.damaged[0]?.digest, digest);
});
