// Lives of tokens, and the answers of token servers.

import test from 'ava';
import fc from 'fast-check';
import { parseTokenAnswer, renewalMs, TokenSource } from '../../src/upstream/token-source.ts';
import { FakeClock } from '../doubles/fake-clock.ts';

const NOW = Date.parse('2026-01-01T00:00:00Z');

test('parseTokenAnswer() takes either field and the default life', (t) => {
  t.like(parseTokenAnswer('{"token":"a"}'), { token: 'a', lifeSeconds: 60 });
  t.like(parseTokenAnswer('{"access_token":"b","expires_in":300}'), {
    token: 'b',
    lifeSeconds: 300,
  });
  t.like(parseTokenAnswer('{"token":"","access_token":"c","expires_in":0,"issued_at":null}'), {
    token: 'c',
    lifeSeconds: 60,
    issuedMs: undefined,
  });
  t.is(parseTokenAnswer('{"token":"a","issued_at":"2026-01-01T00:00:00Z"}')?.issuedMs, NOW);
});

test('parseTokenAnswer() gives nothing when there is no token that fits in a header', (t) => {
  for (const text of ['', 'null', '[]', '{}', '{"token":1}', '{"token":"a\\r\\nb: c"}', '<html>'])
    t.is(parseTokenAnswer(text), undefined, text);
});

test('renewalMs() lies before the end, and after now when the token lives', (t) => {
  const answers = fc.record({
    token: fc.constant('x'),
    lifeSeconds: fc.integer({ min: 1, max: 1e9 }),
    issuedMs: fc.option(fc.integer({ min: NOW - 1e9, max: NOW + 1e9 }), { nil: undefined }),
  });
  fc.assert(
    fc.property(answers, (answer) => {
      const renewal = renewalMs(answer, NOW);
      t.true(renewal > NOW);
      t.true(renewal < NOW + Math.min(86_400, answer.lifeSeconds) * 1000);
    }),
  );
});

test('renewalMs() keeps a margin of ten seconds or a tenth', (t) => {
  const at = (lifeSeconds: number, issuedMs?: number) =>
    (renewalMs({ token: 'x', lifeSeconds, issuedMs }, NOW) - NOW) / 1000;
  t.is(at(60), 50);
  t.is(at(3600), 3240);
  t.is(at(10), 5);
  t.is(at(300, NOW - 200_000), 90);
  t.is(at(300, NOW - 400_000), 270);
});

test('TokenSource asks again after a failure', async (t) => {
  let asked = 0;
  const tokens = new TokenSource(new FakeClock(), () => {
    asked += 1;
    if (asked === 1) return Promise.reject(new Error('away'));
    return Promise.resolve({ token: `t${asked}`, lifeSeconds: 60, issuedMs: undefined });
  });
  const request = {
    realm: new URL('https://auth.test/token'),
    service: 's',
    scope: 'repository:o/r:pull',
    login: { fingerprint: 'anonymous', credential: undefined },
  };
  await t.throwsAsync(tokens.get(request), { message: 'away' });
  t.is(await tokens.get(request), 't2');
  t.is(await tokens.get(request), 't2');
  t.is(await tokens.get(request, 't2'), 't3');
  t.is(await tokens.get(request, 't2'), 't3');
  t.is(await tokens.get({ ...request, scope: 'repository:o/s:pull' }), 't4');
});
