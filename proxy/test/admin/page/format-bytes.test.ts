import test from 'ava';
import { formatBytes } from '../../../src/admin/page/format-bytes.ts';

test('formatBytes() writes three digits and a unit', (t) => {
  const written = [0, 999, 1023, 1024, 1024 ** 2 - 1, 1_300_000_000, 3 * 1024 ** 5].map(
    formatBytes,
  );
  t.deepEqual(written, ['0 B', '999 B', '0.999 KiB', '1 KiB', '1 MiB', '1.21 GiB', '3070 TiB']);
});
