import test from 'ava';
import fc from 'fast-check';
import {
  isWorthAnotherUrl,
  parseRetryAfter,
  retryDelayMs,
} from '../../src/upstream/retry-policy.ts';
import { UpstreamError, type UpstreamErrorKind } from '../../src/upstream/upstream.ts';

const failure = (kind: UpstreamErrorKind, status?: number, retryAfterSeconds?: number) =>
  new UpstreamError('docker.io', kind, 'failed', { status, retryAfterSeconds });

test('retryDelayMs() gives two further tries to failures that may pass', (t) => {
  const half = () => 0.5;
  for (const error of [failure('transport'), failure('unavailable', 503)]) {
    t.is(retryDelayMs(error, 0, half), 50);
    t.is(retryDelayMs(error, 1, half), 100);
    t.is(retryDelayMs(error, 2, half), undefined);
  }
});

test('retryDelayMs() gives no further try to answers that will stay the same', (t) => {
  const kinds: UpstreamErrorKind[] = ['not-found', 'denied', 'unauthorized', 'invalid', 'refused'];
  for (const kind of kinds) t.is(retryDelayMs(failure(kind), 0, Math.random), undefined);
  t.is(retryDelayMs(failure('unavailable', 501), 0, Math.random), undefined);
});

test('retryDelayMs() waits for a short Retry-After and not for a long one', (t) => {
  t.is(
    retryDelayMs(failure('rate-limited', 429, 2), 0, () => 0),
    2000,
  );
  t.is(
    retryDelayMs(failure('rate-limited', 429, 60), 0, () => 0),
    undefined,
  );
  t.is(
    retryDelayMs(failure('rate-limited', 429), 0, () => 0),
    undefined,
  );
});

test('retryDelayMs() never waits longer than the backoff when nothing was asked for', (t) => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(1), (random, retry) => {
      const delayMs = retryDelayMs(failure('transport'), retry, () => random);
      t.true(delayMs !== undefined && delayMs >= 0 && delayMs <= 100 * 2 ** retry);
    }),
  );
});

test('isWorthAnotherUrl() sends on what is the fault of one address', (t) => {
  t.true(isWorthAnotherUrl(failure('transport')));
  t.true(isWorthAnotherUrl(failure('rate-limited', 429)));
  t.false(isWorthAnotherUrl(failure('not-found', 404)));
});

test('parseRetryAfter() reads seconds and dates', (t) => {
  const now = Date.parse('2026-01-01T00:00:00Z');
  t.is(parseRetryAfter('120', now), 120);
  t.is(parseRetryAfter('Thu, 01 Jan 2026 00:00:30 GMT', now), 30);
  t.is(parseRetryAfter('Wed, 31 Dec 2025 00:00:30 GMT', now), 0);
  t.is(parseRetryAfter('9999999999', now), 86_400);
  t.is(parseRetryAfter('soon', now), undefined);
  t.is(parseRetryAfter(undefined, now), undefined);
});
