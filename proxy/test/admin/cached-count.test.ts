import test from 'ava';
import { cachedCount } from '../../src/admin/cached-count.ts';
import { FakeClock } from '../doubles/fake-clock.ts';

test('cachedCount() counts once for all who ask, and again when the count is old', async (t) => {
  const clock = new FakeClock();
  let counts = 0;
  const read = async () => {
    counts += 1;
    const mine = counts;
    await clock.sleep(100);
    return mine;
  };
  const count = cachedCount({ clock, ageMs: 1000, read });
  const asked = [count(), count()];
  await clock.advance(100);
  t.deepEqual(await Promise.all(asked), [1, 1]);
  // It took 100 ms: it is shown for 50 times as long.
  await clock.advance(4999);
  t.is(await count(), 1);
  await clock.advance(1);
  const next = count();
  await clock.advance(100);
  t.is(await next, 2);
});

test('cachedCount() counts again after a failure', async (t) => {
  let counts = 0;
  const read = () => {
    counts += 1;
    return counts === 1 ? Promise.reject(new Error('no')) : Promise.resolve(counts);
  };
  const count = cachedCount({ clock: new FakeClock(), ageMs: 1000, read });
  await t.throwsAsync(count());
  t.is(await count(), 2);
});
