import test from 'ava';
import { formatBytes } from '../../src/commands/format-bytes.ts';
import { renderTable } from '../../src/commands/table.ts';

test('renderTable() puts columns side by side under their heads', (t) => {
  const table = renderTable(
    ['image', 'size'],
    [
      ['debian', '1 MiB'],
      ['busybox-long', '12 B'],
    ],
  );
  t.is(table, 'IMAGE         SIZE\ndebian        1 MiB\nbusybox-long  12 B\n');
});

test('renderTable() leaves the heads away when there are none', (t) => {
  t.is(renderTable([], [['blobs', '3']]), 'blobs  3\n');
});

test('formatBytes() writes three digits and a unit', (t) => {
  const written = [0, 999, 1023, 1024, 1024 ** 2 - 1, 1_300_000_000, 3 * 1024 ** 5].map(
    formatBytes,
  );
  t.deepEqual(written, ['0 B', '999 B', '0.999 KiB', '1 KiB', '1 MiB', '1.21 GiB', '3070 TiB']);
});
