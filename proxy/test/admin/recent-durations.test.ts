import test from 'ava';
import { RecentDurations } from '../../src/admin/recent-durations.ts';

test('summary() tells what most durations were, of the last thousand', (t) => {
  const durations = new RecentDurations();
  t.is(durations.summary(), undefined);
  for (let seconds = 100; seconds >= 1; seconds -= 1) durations.add(seconds);
  t.deepEqual(durations.summary(), {
    ...{ count: 100, medianSeconds: 50, p95Seconds: 95, maxSeconds: 100 },
  });
  for (let at = 0; at < 1000; at += 1) durations.add(2);
  t.deepEqual(durations.summary(), {
    ...{ count: 1000, medianSeconds: 2, p95Seconds: 2, maxSeconds: 2 },
  });
});
