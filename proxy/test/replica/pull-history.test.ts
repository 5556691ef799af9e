// What is remembered of clients' pulls: layers, gaps, and whether what was made ahead was of use.

import test from 'ava';
import { Allowance, MAX_AHEAD, type UseRecord } from '../../src/replica/allowance.ts';
import { HALF_LIFE_MS } from '../../src/replica/decay.ts';
import { type GapRecord, Gaps } from '../../src/replica/gaps.ts';
import { OpenPulls } from '../../src/replica/open-pulls.ts';
import { PulledLayers, type PulledRecord } from '../../src/replica/pulled-layers.ts';
import { digestNumber } from '../conformance/index.ts';
import { FakeClock } from '../doubles/fake-clock.ts';
import { makeHistory } from './history-folder.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

test('a client has what it pulled, for a month, and no other client has it', async (t) => {
  const clock = new FakeClock();
  const open = await makeHistory<PulledRecord>(t);
  const before = new PulledLayers({ table: await open(), clock });
  for (const number of [1, 2, 1, 3]) before.note('one', digestNumber(number));
  const pulled = new PulledLayers({ table: await open(), clock });
  const has = (client: string) => [1, 2, 3, 4].map((at) => pulled.has(client, digestNumber(at)));
  t.deepEqual(has('one'), [true, true, true, false]);
  t.deepEqual(has('two'), [false, false, false, false]);
  await clock.advance(29 * DAY_MS);
  pulled.note('one', digestNumber(2));
  await clock.advance(2 * DAY_MS);
  t.deepEqual(has('one'), [false, true, false, false]);
});

test('of a client the last 512 layers are remembered', async (t) => {
  const table = await (await makeHistory<PulledRecord>(t))();
  const pulled = new PulledLayers({ table, clock: new FakeClock() });
  for (let number = 0; number < 600; number += 1) pulled.note('one', digestNumber(number));
  t.is(table.get('one')?.layers.length, 512 * 12);
  t.false(pulled.has('one', digestNumber(600 - 513)));
  t.true(pulled.has('one', digestNumber(600 - 512)));
});

test('gaps are guessed by position until pulls show them, each repository for itself', async (t) => {
  const clock = new FakeClock();
  const open = await makeHistory<GapRecord>(t);
  const gaps = new Gaps({ table: await open(), clock });
  const guesses = [0, 1, 2, 3, 6].map((position) => gaps.expectedMs('a', position));
  t.deepEqual(guesses, [200, 200, 200, 700, 1200]);
  gaps.note('a', 1, 1000);
  t.is(gaps.expectedMs('a', 1), 1000);
  gaps.note('a', 1, 2000);
  t.is(gaps.expectedMs('a', 1), 1500);
  t.is(gaps.expectedMs('a', 0), 200);
  t.is(gaps.expectedMs('b', 1), 200);
  t.is(new Gaps({ table: await open(), clock }).expectedMs('a', 1), 1500);
});

test('gaps follow what changes, the sooner the longer ago the others were', async (t) => {
  const clock = new FakeClock();
  const gaps = new Gaps({ table: await (await makeHistory<GapRecord>(t))(), clock });
  for (let pull = 0; pull < 100; pull += 1) gaps.note('a', 0, 1000);
  gaps.note('a', 0, 12_000);
  t.is(Math.round(gaps.expectedMs('a', 0)), 2000);
  await clock.advance(10 * HALF_LIFE_MS);
  gaps.note('a', 0, 100);
  t.true(gaps.expectedMs('a', 0) < 150);
  gaps.note('a', 5000, 7);
  t.is(gaps.expectedMs('a', 63), 7, 'far positions are one');
});

test('fewer layers are made where they are made for nothing, then none, and some again later', async (t) => {
  const clock = new FakeClock();
  const allowance = new Allowance({ table: await (await makeHistory<UseRecord>(t))(), clock });
  const limits: number[] = [];
  for (let pull = 0; pull < 20; pull += 1) {
    allowance.made('a', 'one');
    limits.push(allowance.layersFor('a', 'one'));
  }
  t.deepEqual(limits.slice(0, 4), [MAX_AHEAD, MAX_AHEAD, MAX_AHEAD, MAX_AHEAD]);
  t.deepEqual(limits.slice(4, 16), new Array(12).fill(2));
  t.deepEqual(limits.slice(16), [0, 0, 0, 0]);
  t.is(allowance.layersFor('b', 'two'), 0, 'nobody used anything at all');
  await clock.advance(HALF_LIFE_MS);
  t.is(allowance.layersFor('a', 'one'), 2);
  await clock.advance(5 * HALF_LIFE_MS);
  t.is(allowance.layersFor('a', 'one'), MAX_AHEAD);
});

test('what one client does not use costs others nothing while enough is used', async (t) => {
  const clock = new FakeClock();
  const allowance = new Allowance({ table: await (await makeHistory<UseRecord>(t))(), clock });
  for (let pull = 0; pull < 30; pull += 1) {
    allowance.made('a', 'wasteful');
    allowance.made('a', 'other');
    allowance.used('a', 'other');
  }
  t.is(allowance.layersFor('a', 'wasteful'), 0);
  t.is(allowance.layersFor('a', 'other'), MAX_AHEAD);
  t.is(allowance.layersFor('b', 'wasteful'), MAX_AHEAD);
});

test('the gap of a layer is told once in a pull, and not after ten minutes', (t) => {
  const pulls = new OpenPulls();
  const [first, second, third] = [digestNumber(1), digestNumber(2), digestNumber(3)];
  pulls.begin('a', 'one', [first, second], 1000);
  t.is(pulls.ask('a', 'two', first, 1100), undefined);
  t.is(pulls.ask('b', 'one', first, 1100), undefined);
  t.deepEqual(pulls.ask('a', 'one', second, 1500), { position: 1, gapMs: 500 });
  t.is(pulls.ask('a', 'one', second, 1600), undefined);
  t.is(pulls.ask('a', 'one', third, 1600), undefined);
  t.is(pulls.ask('a', 'one', first, 700_000), undefined);
  pulls.begin('a', 'one', [first], 800_000);
  pulls.begin('a', 'one', [first], 801_000);
  t.like(pulls.ask('a', 'one', first, 802_000), { gapMs: 2000 }, 'the first manifest counts');
});
