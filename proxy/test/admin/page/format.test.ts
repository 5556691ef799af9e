import test from 'ava';
import {
  formatCount,
  formatDuration,
  formatMoment,
  formatShare,
  shortenDigest,
} from '../../../src/admin/page/format.ts';
import { reasonText } from '../../../src/admin/page/reasons.ts';

test('formatDuration() writes one unit', (t) => {
  const written = [0, 12.4, 999, 1500, 42_000, 180_000, 5 * 3_600_000, 12 * 86_400_000].map(
    formatDuration,
  );
  t.deepEqual(written, ['0 ms', '12 ms', '999 ms', '1.5 s', '42 s', '3 min', '5 h', '12 d']);
});

test('formatShare() writes a percentage, and nothing of nothing', (t) => {
  t.is(formatShare(1, 3), '33.3%');
  t.is(formatShare(5, 4), '125%');
  t.is(formatShare(0, 0), '');
});

test('formatCount() groups digits', (t) => {
  t.is(formatCount(1_234_567), '1,234,567');
});

test('formatMoment() has the date only where the span has several days', (t) => {
  const atMs = Date.UTC(2025, 5, 15, 12);
  t.regex(formatMoment(atMs, 60_000), /:\d\d:\d\d/);
  t.notRegex(formatMoment(atMs, 3_600_000), /2025|:\d\d:\d\d/);
  t.regex(formatMoment(atMs, 7 * 86_400_000), /2025/);
});

test('shortenDigest() keeps what tells digests apart, and leaves other text', (t) => {
  t.is(shortenDigest(`sha256:${'0123456789abcdef'.repeat(4)}`), 'sha256:0123456789ab');
  t.is(shortenDigest('latest'), 'latest');
});

test('reasonText() says a code in words, and keeps the code', (t) => {
  t.is(reasonText('TOO_SMALL'), 'too small to be worth it (TOO_SMALL)');
  t.is(reasonText('GZIP_MAGIC'), 'GZIP_MAGIC');
});
