import test from 'ava';
import { connectAny } from '../../src/upstream/connect-any.ts';
import { FakeClock } from '../doubles/fake-clock.ts';

class Connection {
  isDestroyed = false;

  destroy(): void {
    this.isDestroyed = true;
  }
}

interface Attempt {
  readonly address: string;
  readonly done: (connection: Connection) => void;
  readonly fail: (error: Error) => void;
}

function connecting(addresses: readonly string[]) {
  const clock = new FakeClock();
  const attempts: Attempt[] = [];
  const connect = (address: string) =>
    new Promise<Connection>((done, fail) => {
      attempts.push({ address, done, fail });
    });
  return { clock, attempts, connected: connectAny(addresses, connect, clock) };
}

test('connectAny() waits a moment before it tries the next address', async (t) => {
  const { clock, attempts, connected } = connecting(['a', 'b']);
  t.deepEqual(
    attempts.map(({ address }) => address),
    ['a'],
  );
  await clock.advance(250);
  t.deepEqual(
    attempts.map(({ address }) => address),
    ['a', 'b'],
  );
  const [slow, fast] = [new Connection(), new Connection()];
  attempts[1]?.done(fast);
  t.is(await connected, fast);
  attempts[0]?.done(slow);
  await clock.advance(0);
  t.true(slow.isDestroyed);
  t.false(fast.isDestroyed);
});

test('connectAny() tries the next address at once when one refuses', async (t) => {
  const { clock, attempts, connected } = connecting(['a', 'b']);
  attempts[0]?.fail(new Error('refused'));
  await clock.advance(0);
  const connection = new Connection();
  attempts[1]?.done(connection);
  t.is(await connected, connection);
  t.is(clock.sleeping, 0);
});

test('connectAny() rejects as the last address did', async (t) => {
  const { clock, attempts, connected } = connecting(['a', 'b']);
  attempts[0]?.fail(new Error('first'));
  await clock.advance(0);
  attempts[1]?.fail(new Error('second'));
  await t.throwsAsync(connected, { message: 'second' });
});

test('connectAny() tries eight addresses at most', async (t) => {
  const { clock, attempts, connected } = connecting(Array.from({ length: 20 }, (_, n) => `${n}`));
  await clock.advance(10_000);
  t.is(attempts.length, 8);
  for (const { fail } of attempts) fail(new Error('away'));
  await t.throwsAsync(connected);
});
