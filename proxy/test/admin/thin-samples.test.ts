import test from 'ava';
import fc from 'fast-check';
import { thinSamples } from '../../src/admin/thin-samples.ts';

const MINUTE_MS = 60_000;
const YEAR_MS = 365 * 24 * 60 * MINUTE_MS;

test('a sample every half hour for a year stays some hundred, dense where it is recent', (t) => {
  let samples: { atMs: number }[] = [];
  let most = 0;
  const endMs = YEAR_MS;
  for (let atMs = 0; atMs <= endMs; atMs += 30 * MINUTE_MS) {
    samples = thinSamples([...samples, { atMs }], atMs);
    most = Math.max(most, samples.length);
  }
  t.true(most < 700, String(most));
  t.true(samples.length > 200, String(samples.length));
  t.is(samples[0]?.atMs, 0);
  t.is(samples.at(-1)?.atMs, endMs);
  const lastDay = samples.filter(({ atMs }) => atMs > endMs - 24 * 60 * MINUTE_MS);
  t.true(lastDay.length > 20, String(lastDay.length));
});

test('no gap between samples is wider than a 48th of its age, unless nothing was sampled there', (t) => {
  const gaps = fc.array(fc.integer({ min: 1, max: 1000 }), { maxLength: 200 });
  fc.assert(
    fc.property(gaps, (list) => {
      let nowMs = 0;
      const all = list.map((gap) => {
        nowMs += gap;
        return { atMs: nowMs };
      });
      const kept = thinSamples(all, nowMs);
      t.deepEqual([kept[0], kept.at(-1)], [all[0], all.at(-1)]);
      for (const [at, { atMs }] of kept.entries()) {
        const next = kept[at + 1];
        const between = all.filter((one) => one.atMs > atMs && one.atMs < (next?.atMs ?? 0));
        const oldest = between[0];
        if (next === undefined || oldest === undefined) continue;
        t.true(next.atMs - atMs <= (nowMs - oldest.atMs) / 48);
      }
    }),
  );
});

test('samples of the future are dropped, as the clock was wrong', (t) => {
  t.deepEqual(thinSamples([{ atMs: 1 }, { atMs: 900 }, { atMs: 5 }], 10), [
    { atMs: 1 },
    { atMs: 5 },
  ]);
});
