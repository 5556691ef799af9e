import test from 'ava';
import { parseRateLimit, RateLimit } from '../../src/upstream/rate-limit.ts';
import { FakeClock } from '../doubles/fake-clock.ts';

test('parseRateLimit() reads the headers of Docker Hub', (t) => {
  t.deepEqual(parseRateLimit('100;w=21600', '76;w=21600'), {
    limit: 100,
    remaining: 76,
    windowSeconds: 21_600,
  });
  t.deepEqual(parseRateLimit(undefined, '7'), { remaining: 7 });
});

test('parseRateLimit() gives nothing when the headers are absent or malformed', (t) => {
  t.is(parseRateLimit(undefined, undefined), undefined);
  t.is(parseRateLimit('lots', '-1'), undefined);
});

test('RateLimit holds back one credential until its time is over', async (t) => {
  const clock = new FakeClock();
  const limit = new RateLimit(clock);
  limit.hold('one', 30);
  t.is(limit.heldSeconds('one'), 30);
  t.is(limit.heldSeconds('other'), 0);
  await clock.advance(29_500);
  t.is(limit.heldSeconds('one'), 1);
  await clock.advance(500);
  t.is(limit.heldSeconds('one'), 0);
});
