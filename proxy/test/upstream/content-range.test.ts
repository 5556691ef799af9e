import test from 'ava';
import fc from 'fast-check';
import { parseContentRange } from '../../src/upstream/content-range.ts';

test('parseContentRange() gives back what was written', (t) => {
  const ranges = fc.record({ start: fc.nat(), length: fc.nat(), after: fc.option(fc.nat()) });
  fc.assert(
    fc.property(ranges, ({ start, length, after }) => {
      const end = start + length + 1;
      const size = after === null ? undefined : end + after;
      const text = `bytes ${start}-${end - 1}/${size ?? '*'}`;
      t.deepEqual(parseContentRange(text), { start, end, size });
    }),
  );
});

test('parseContentRange() refuses what is malformed or contradicts itself', (t) => {
  const wrong = [
    undefined,
    '',
    'bytes',
    'bytes */100',
    'bytes 5-4/100',
    'bytes 0-100/100',
    'bytes 0-1/99999999999999999999',
    'items 0-1/2',
    'bytes 0-1/2, bytes 3-4/5',
    'bytes -1-1/2',
  ];
  for (const text of wrong) t.is(parseContentRange(text), undefined, text);
});
