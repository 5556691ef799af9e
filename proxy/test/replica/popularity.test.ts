import test from 'ava';
import type { Digest } from '../../src/oci/digest.ts';
import {
  addTo,
  countAt,
  type DecayedCount,
  HALF_LIFE_MS,
  rateOf,
} from '../../src/replica/decay.ts';
import { Popularity } from '../../src/replica/popularity.ts';
import { RecentRequests } from '../../src/replica/recent-requests.ts';
import { digestNumber } from '../conformance/index.ts';
import { FakeClock } from '../doubles/fake-clock.ts';
import { makeHistory } from './history-folder.ts';

const LAYER: Digest = digestNumber(1);
const OTHER: Digest = digestNumber(2);

test('a count halves in its half-life, and a clock that is set back does not raise it', (t) => {
  const counted = addTo(addTo(undefined, 1000), 1000);
  t.is(countAt(counted, 1000), 2);
  t.is(countAt(counted, 1000 + HALF_LIFE_MS), 1);
  t.is(countAt(counted, 0), 2);
  t.is(countAt(addTo(counted, 1000 + HALF_LIFE_MS), 1000 + 2 * HALF_LIFE_MS), 1);
  t.is(countAt(undefined, 5), 0);
});

test('rateOf() is the rate that keeps a count where it is', (t) => {
  const everySeconds = 60;
  let counted: DecayedCount | undefined;
  for (let nowMs = 0; nowMs < 12 * HALF_LIFE_MS; nowMs += everySeconds * 1000)
    counted = addTo(counted, nowMs);
  t.true(Math.abs(rateOf(counted?.count ?? 0) * everySeconds - 1) < 0.01);
});

test('a pull is one, whatever ranges it asks for, and each client has its own', async (t) => {
  const clock = new FakeClock();
  const recent = new RecentRequests(clock);
  t.true(recent.begins(LAYER, 'one'));
  t.false(recent.begins(LAYER, 'one'));
  await clock.advance(59_000);
  t.false(recent.begins(LAYER, 'one'), 'a long pull is still one');
  t.true(recent.begins(LAYER, 'two'));
  t.true(recent.begins(OTHER, 'one'));
  await clock.advance(59_000);
  t.false(recent.begins(LAYER, 'one'));
  await clock.advance(60_000);
  t.true(recent.begins(LAYER, 'one'));
});

test('pulls count the less the longer ago they were', async (t) => {
  const clock = new FakeClock();
  const popularity = new Popularity({ table: await (await makeHistory<DecayedCount>(t))(), clock });
  popularity.note(LAYER);
  popularity.note(LAYER);
  t.is(popularity.countOf(LAYER), 2);
  await clock.advance(HALF_LIFE_MS);
  t.is(popularity.countOf(LAYER), 1);
  popularity.note(LAYER);
  t.is(popularity.countOf(LAYER), 2);
});

test('what was counted outlives the process', async (t) => {
  const clock = new FakeClock();
  const open = await makeHistory<DecayedCount>(t);
  new Popularity({ table: await open(), clock }).note(LAYER);
  const popularity = new Popularity({ table: await open(), clock });
  t.is(popularity.countOf(LAYER), 1);
  t.is(popularity.countOf(OTHER), 0);
});

test('trim() leaves no more than was allowed, those that changed last', async (t) => {
  const open = await makeHistory<DecayedCount>(t, 3);
  let table = await open();
  for (const atMs of [5, 1, 4, 2, 3]) table.set(`key ${atMs}`, { count: 1, atMs });
  await table.trim();
  table = await open();
  const left = [1, 2, 3, 4, 5].filter((atMs) => table.get(`key ${atMs}`) !== undefined);
  t.deepEqual(left, [3, 4, 5]);
});

test('what is changed while it is written is written later', async (t) => {
  const open = await makeHistory<DecayedCount>(t);
  const table = await open();
  table.set('key', { count: 1, atMs: 1 });
  const flushing = table.flush();
  table.set('key', { count: 2, atMs: 2 });
  await flushing;
  t.is(table.get('key')?.count, 2);
  t.is((await open()).get('key')?.count, 2);
});
