import test from 'ava';
import fc from 'fast-check';
import { cutSamples, sizeTicks, stepPath } from '../../../src/admin/page/savings-chart.ts';

const MIB = 1024 * 1024;

function sample(atMs: number) {
  return { atMs, tar: atMs, compressed: atMs, stored: atMs };
}

test('cutSamples() begins with the sample that held at that moment', (t) => {
  const samples = [1, 5, 9].map(sample);
  t.deepEqual(cutSamples(samples, 6), [{ ...sample(5), atMs: 6 }, sample(9)]);
  t.deepEqual(cutSamples(samples, 5), samples.slice(1));
  t.deepEqual(cutSamples(samples, 0), samples);
  t.deepEqual(cutSamples([], 5), []);
});

test('sizeTicks() gives round sizes in the unit that suits', (t) => {
  t.deepEqual(
    sizeTicks(8.5 * MIB),
    [0, 2.5, 5, 7.5, 10].map((mib) => mib * MIB),
  );
  t.deepEqual(sizeTicks(3), [0, 1, 2, 3]);
  t.deepEqual(sizeTicks(0), [0, 1]);
});

test('sizeTicks() reach from 0 to the largest, in few equal steps', (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1024 ** 5 }), (largest) => {
      const ticks = sizeTicks(largest);
      t.is(ticks[0], 0);
      t.true((ticks.at(-1) ?? 0) >= largest);
      t.true((ticks.at(-2) ?? 0) < largest);
      t.true(ticks.length <= 6);
    }),
  );
});

test('stepPath() stays where it is until the next point', (t) => {
  const points = [
    [0, 5.04],
    [10, 7],
    [20, 7.25],
  ] as const;
  t.is(stepPath(points), 'M0 5H10V7H20V7.3');
  t.is(stepPath([]), '');
});
