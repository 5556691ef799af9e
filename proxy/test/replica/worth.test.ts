import test from 'ava';
import fc from 'fast-check';
import {
  compareWorth,
  planPromotions,
  type RatedLayer,
  savingOf,
  worthOf,
} from '../../src/replica/worth.ts';
import { digestNumber } from '../conformance/index.ts';

let made = 0;

function layer(of: Partial<RatedLayer>): RatedLayer {
  made += 1;
  const defaults = { size: 100, isWhole: true, count: 2, restoreSeconds: 1, lastUseMs: 0 };
  return { digest: digestNumber(made), ...defaults, ...of };
}

test('worth grows with the rate and the cost of a restore, and shrinks with the size', (t) => {
  const plain = layer({});
  for (const better of [{ count: 3 }, { restoreSeconds: 2 }, { size: 90 }, { lastUseMs: 1 }])
    t.true(compareWorth(plain, layer(better)) < 0, JSON.stringify(better));
  t.true(worthOf(layer({ restoreSeconds: 0 })) > 0, 'opening costs something');
});

test('a free budget is filled by the best, and those that fit', (t) => {
  const good = layer({ isWhole: false, count: 9, size: 60 });
  const large = layer({ isWhole: false, count: 8, size: 101 });
  const next = layer({ isWhole: false, count: 4, size: 50 });
  const small = layer({ isWhole: false, count: 3, size: 40 });
  t.deepEqual(planPromotions([small, next, large, good], 100), [
    { layer: good, instead: [] },
    { layer: small, instead: [] },
  ]);
});

test('one that is hardly asked for is not made', (t) => {
  t.deepEqual(planPromotions([layer({ isWhole: false, count: 1.4 })], 1000), []);
  t.is(planPromotions([layer({ isWhole: false, count: 1.5 })], 1000).length, 1);
});

test('what goes for another has to be worth clearly less, all of it together', (t) => {
  const one = layer({ count: 2 });
  const other = layer({ count: 3 });
  const wanted = (of: Partial<RatedLayer>) => layer({ isWhole: false, ...of });
  const plan = (of: Partial<RatedLayer>) => planPromotions([other, one, wanted(of)], 200);
  t.deepEqual(plan({ count: 2.9 }), []);
  t.deepEqual(plan({ count: 3.1 })[0]?.instead, [one]);
  t.deepEqual(plan({ count: 7, size: 200 }), []);
  t.deepEqual(plan({ count: 8, size: 200 })[0]?.instead, [one, other]);
  t.deepEqual(plan({ count: 2.9, size: 1 }), [], 'a small one is not worth a large one');
});

const layers = fc.array(
  fc
    .record({
      size: fc.integer({ min: 1, max: 100 }),
      isWhole: fc.boolean(),
      count: fc.double({ min: 0, max: 50, noNaN: true }),
      restoreSeconds: fc.double({ min: 0, max: 5, noNaN: true }),
      lastUseMs: fc.nat(),
    })
    .map(layer),
  { maxLength: 30 },
);

test('a plan fits the budget, saves more than before, and leads to one that changes nothing', (t) => {
  fc.assert(
    fc.property(layers, fc.integer({ min: 0, max: 1500 }), (all, extra) => {
      const sum = (some: readonly RatedLayer[], of: (one: RatedLayer) => number) =>
        some.reduce((total, one) => total + of(one), 0);
      const wholeOf = (some: readonly RatedLayer[]) => some.filter(({ isWhole }) => isWhole);
      const budget = sum(wholeOf(all), ({ size }) => size) + (extra % 300);
      let state = all;
      let saved = sum(wholeOf(all), savingOf);
      for (let round = 0; ; round += 1) {
        const plan = planPromotions(state, budget);
        if (plan.length === 0) break;
        const gone = new Set(plan.flatMap(({ instead }) => instead.map(({ digest }) => digest)));
        const come = new Set(plan.map((promotion) => promotion.layer.digest));
        state = state.map((one) => ({
          ...one,
          isWhole: come.has(one.digest) || (one.isWhole && !gone.has(one.digest)),
        }));
        t.true(sum(wholeOf(state), ({ size }) => size) <= budget);
        const now = sum(wholeOf(state), savingOf);
        t.true(now > saved, 'each round is a gain, so that no layer comes and goes for ever');
        saved = now;
        t.true(round < 40);
      }
    }),
  );
});
