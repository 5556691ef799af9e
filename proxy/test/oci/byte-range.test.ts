import test from 'ava';
import fc from 'fast-check';
import { MAX_RANGES, parseByteRange, type RangeRequest } from '../../src/oci/byte-range.ts';

function ranges(...pairs: readonly (readonly [number, number])[]): unknown {
  return { kind: 'ranges', ranges: pairs.map(([start, end]) => ({ start, end })) };
}

for (const [header, expected] of [
  ['bytes=0-', ranges([0, 100])],
  ['bytes=0-0', ranges([0, 1])],
  ['bytes=99-', ranges([99, 100])],
  ['bytes=10-19', ranges([10, 20])],
  ['bytes=10-1000', ranges([10, 100])],
  ['bytes=-1', ranges([99, 100])],
  ['bytes=-1000', ranges([0, 100])],
  ['BYTES=5-6', ranges([5, 7])],
  ['bytes=20-29,0-9', ranges([20, 30], [0, 10])],
  ['bytes=0-9, ,10-19', ranges([0, 10], [10, 20])],
  ['bytes=0-9,5-14', ranges([0, 15])],
  ['bytes=0-99,0-99,0-99', ranges([0, 100])],
  ['bytes=0-1,200-300', ranges([0, 2])],
] as const) {
  test(`parseByteRange() understands ${header}`, (t) => {
    t.deepEqual<unknown, unknown>(parseByteRange(header, 100), expected);
  });
}

for (const header of ['bytes=100-', 'bytes=100-200', 'bytes=-0', 'bytes=200-300,400-']) {
  test(`parseByteRange() says that no byte of ${header} exists`, (t) => {
    t.is(parseByteRange(header, 100).kind, 'unsatisfiable');
  });
}

for (const header of [
  undefined,
  '',
  'bytes',
  'bytes=',
  'bytes=-',
  'bytes=a-b',
  'bytes=5-4',
  'bytes=0-1,x',
  'bytes=1.5-2',
  'bytes=+1-2',
  'lines=0-1',
  `bytes=${'0-0,'.repeat(MAX_RANGES)}1-1`,
]) {
  test(`parseByteRange() ignores ${String(header).slice(0, 30)}`, (t) => {
    t.is(parseByteRange(header, 100).kind, 'whole');
  });
}

test('parseByteRange() gives nothing of an empty body', (t) => {
  t.is(parseByteRange('bytes=0-', 0).kind, 'unsatisfiable');
  t.is(parseByteRange('bytes=-5', 0).kind, 'whole');
});

/** The bytes that a result covers, one by one. */
function covered(result: RangeRequest): readonly number[] {
  if (result.kind !== 'ranges') return [];
  return result.ranges.flatMap(({ start, end }) =>
    Array.from({ length: end - start }, (_, index) => start + index),
  );
}

test('parseByteRange() covers exactly the bytes that were asked for, each once', (t) => {
  const pair = fc.tuple(fc.nat(60), fc.nat(60)).map(([one, other]) => [one, one + other] as const);
  fc.assert(
    fc.property(fc.array(pair, { minLength: 1, maxLength: 8 }), fc.nat(50), (pairs, size) => {
      const header = `bytes=${pairs.map(([first, last]) => `${first}-${last}`).join(',')}`;
      const bytes = Array.from({ length: size }, (_, index) => index);
      const wanted = bytes.filter((byte) =>
        pairs.some(([first, last]) => byte >= first && byte <= last),
      );
      const got = covered(parseByteRange(header, size)).toSorted((one, other) => one - other);
      t.deepEqual(got, wanted);
    }),
  );
});

test('parseByteRange() never throws and never leaves the body', (t) => {
  const text = fc.oneof(fc.string(), fc.stringMatching(/^bytes=[-0-9, ]*$/));
  fc.assert(
    fc.property(text, fc.nat(), (header, size) => {
      const result = parseByteRange(header, size);
      const inside = result.kind === 'ranges' ? result.ranges : [];
      t.true(inside.every(({ start, end }) => start >= 0 && start < end && end <= size));
    }),
  );
});
