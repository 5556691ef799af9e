import test from 'ava';
import { BudgetError, unlessAborted, withinBudget } from '../../src/upstream/time-budget.ts';
import { FakeClock } from '../doubles/fake-clock.ts';

test('withinBudget() aborts work that takes longer', async (t) => {
  const clock = new FakeClock();
  const work = withinBudget(clock, 1000, undefined, (signal) =>
    unlessAborted(signal, new Promise<never>(() => undefined)),
  );
  await Promise.all([clock.advance(1000), t.throwsAsync(work, { instanceOf: BudgetError })]);
});

test('withinBudget() leaves what the work opened alone once it is done', async (t) => {
  const clock = new FakeClock();
  const outer = new AbortController();
  const signal = await withinBudget(clock, 1000, outer.signal, (own) => Promise.resolve(own));
  await clock.advance(2000);
  t.false(signal.aborted);
  t.is(clock.sleeping, 0);
  outer.abort(new Error('enough'));
  t.true(signal.aborted);
});

test('unlessAborted() ends one wait and not what is waited for', async (t) => {
  const controller = new AbortController();
  let finish: (value: string) => void = () => undefined;
  const shared = new Promise<string>((resolve) => {
    finish = resolve;
  });
  const given = unlessAborted(controller.signal, shared);
  const patient = unlessAborted(new AbortController().signal, shared);
  controller.abort(new Error('enough'));
  await t.throwsAsync(given, { message: 'enough' });
  finish('done');
  t.is(await patient, 'done');
});
