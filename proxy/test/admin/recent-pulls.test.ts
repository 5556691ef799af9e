import test from 'ava';
import { RecentPulls } from '../../src/admin/recent-pulls.ts';
import type { EndedRequest } from '../../src/middleware/request-record.ts';
import { digestNumber } from '../conformance/index.ts';
import { FakeClock } from '../doubles/fake-clock.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

function ended(changes: Partial<EndedRequest>): EndedRequest {
  return {
    ...{ requestId: '1', client: '', method: 'GET', path: '/', route: 'manifest', status: 200 },
    ...{ bytes: 1, durationMs: 1, outcome: 'complete' },
    ...changes,
  };
}

test('a pull counts half after a day', async (t) => {
  const clock = new FakeClock();
  const pulls = new RecentPulls(clock);
  const digest = digestNumber(1);
  t.is(pulls.of(digest), 0);
  pulls.requestEnded(ended({ digest }));
  pulls.requestEnded(ended({ digest }));
  t.is(pulls.of(digest), 2);
  await clock.advance(DAY_MS);
  t.is(pulls.of(digest), 1);
  pulls.requestEnded(ended({ digest }));
  t.is(pulls.of(digest), 2);
});

test('questions and errors are no pulls', (t) => {
  const pulls = new RecentPulls(new FakeClock());
  const digest = digestNumber(1);
  pulls.requestEnded(ended({ digest, method: 'HEAD' }));
  pulls.requestEnded(ended({ digest, status: 304 }));
  pulls.requestEnded(ended({ route: 'blob' }));
  t.is(pulls.of(digest), 0);
});

test('only so many manifests are remembered, those pulled last', (t) => {
  const pulls = new RecentPulls(new FakeClock());
  for (let number = 0; number < 10_001; number += 1)
    pulls.requestEnded(ended({ digest: digestNumber(number) }));
  t.is(pulls.of(digestNumber(0)), 0);
  t.is(pulls.of(digestNumber(1)), 1);
});
