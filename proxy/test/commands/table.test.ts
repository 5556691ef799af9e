import test from 'ava';
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
