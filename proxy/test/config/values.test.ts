// Single values: durations, sizes, quotas, addresses, URLs and names.

import test from 'ava';
import fc from 'fast-check';
import {
  addressesCollide,
  formatAddress,
  isLoopback,
  parseAddress,
} from '../../src/config/address.ts';
import { parseCount } from '../../src/config/count.ts';
import { formatDuration, parseDuration } from '../../src/config/duration.ts';
import { parentFolder, resolvePath } from '../../src/config/paths.ts';
import { formatQuota, formatSize, parseQuota, parseSize } from '../../src/config/size.ts';
import { parseStoreUrl } from '../../src/config/store-url.ts';
import { suggest } from '../../src/config/suggest.ts';
import {
  isUpstreamName,
  parseProxyUrl,
  parseUpstreamUrl,
  redactUrl,
} from '../../src/config/upstream-url.ts';
import { quoteValue, ValueError } from '../../src/config/value-error.ts';

const VALUE_ERROR = { instanceOf: ValueError };

test('parseDuration() undoes formatDuration() for every whole number of milliseconds', (t) => {
  fc.assert(
    fc.property(fc.nat(Number.MAX_SAFE_INTEGER), (durationMs) => {
      return parseDuration(formatDuration(durationMs)) === durationMs;
    }),
  );
  t.is(parseDuration('7d'), 604_800_000);
  t.is(parseDuration(0), 0);
});

test('parseDuration() gives a safe integer or throws ValueError when given any text', (t) => {
  const text = fc.oneof(fc.string(), fc.tuple(fc.bigInt(), fc.constantFrom('s', 'd')).map(String));
  fc.assert(fc.property(text, (value) => isSafeOrThrows(() => parseDuration(value))));
  for (const wrong of ['60', '1.5h', '-1s', '1w', '', '9999999999999d', 60]) {
    t.throws(() => parseDuration(wrong), VALUE_ERROR, String(wrong));
  }
});

test('parseSize() undoes formatSize() for every size', (t) => {
  fc.assert(
    fc.property(fc.nat(Number.MAX_SAFE_INTEGER), (size) => parseSize(formatSize(size)) === size),
  );
  t.is(parseSize('4KiB'), 4096);
  t.is(parseSize('1.5 GB'), 1_500_000_000);
  t.is(parseSize(4096), 4096);
});

test('parseSize() gives a safe integer or throws ValueError when given any text', (t) => {
  fc.assert(fc.property(fc.string(), (value) => isSafeOrThrows(() => parseSize(value))));
  for (const wrong of ['-1', 'x', '1Gi', '1e9', '99999999999TiB', '']) {
    t.throws(() => parseSize(wrong), VALUE_ERROR, wrong);
  }
});

test('parseQuota() undoes formatQuota() for shares with three decimals', (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 100_000 }), (thousandths) => {
      const quota = parseQuota(`${thousandths / 1000}%`);
      const again = parseQuota(formatQuota(quota));
      return quota.kind === 'share' && again.kind === 'share' && again.ratio === quota.ratio;
    }),
  );
  t.deepEqual(parseQuota('80%'), { kind: 'share', ratio: 0.8 });
  t.deepEqual(parseQuota('200GiB'), { kind: 'bytes', bytes: 200 * 1024 ** 3 });
  t.throws(() => parseQuota('101%'), VALUE_ERROR);
});

test('parseAddress() takes a host and port, a port alone, and a bracketed IPv6 address', (t) => {
  t.deepEqual(parseAddress('127.0.0.1:5000'), { host: '127.0.0.1', port: 5000 });
  t.deepEqual(parseAddress(5000), { host: '0.0.0.0', port: 5000 });
  t.deepEqual(parseAddress('5000'), { host: '0.0.0.0', port: 5000 });
  t.deepEqual(parseAddress(':5000'), { host: '0.0.0.0', port: 5000 });
  t.deepEqual(parseAddress('[::1]:5000'), { host: '::1', port: 5000 });
  t.is(formatAddress(parseAddress('[::1]:5000')), '[::1]:5000');
  for (const wrong of ['x', ':65536', '1.2.3:1', '[zz]:1', '::1:5000', 'a b:1', '', '-a:1']) {
    t.throws(() => parseAddress(wrong), VALUE_ERROR, wrong);
  }
});

test('addressesCollide() is true for one port on hosts that overlap, but for port 0', (t) => {
  t.true(addressesCollide(parseAddress(':1'), parseAddress('127.0.0.1:1')));
  t.false(addressesCollide(parseAddress('127.0.0.1:1'), parseAddress('127.0.0.2:1')));
  t.false(addressesCollide(parseAddress(':0'), parseAddress(':0')));
  t.true(isLoopback('127.9.9.9') && isLoopback('::1') && isLoopback('localhost'));
  t.false(isLoopback('10.0.0.1') || isLoopback('cache.example'));
});

test('parseUpstreamUrl() gives a base URL and refuses credentials, queries and /v2', (t) => {
  t.is(parseUpstreamUrl('https://ghcr.io/'), 'https://ghcr.io');
  t.is(parseUpstreamUrl('http://127.0.0.1:5601'), 'http://127.0.0.1:5601');
  t.is(parseUpstreamUrl('https://h.example/a/b/'), 'https://h.example/a/b');
  for (const wrong of ['ghcr.io', 'ftp://x', 'https://u:p@x', 'https://x/?a', 'https://x/v2']) {
    t.throws(() => parseUpstreamUrl(wrong), VALUE_ERROR, wrong);
  }
});

test('quoteValue() never shows the user part or query of a URL', (t) => {
  for (const url of [
    'https://u:SECRET@x',
    'https://u:a/SECRET"@x',
    'https://x/?k=SECRET',
    's3://b?SECRET',
  ]) {
    t.notRegex(quoteValue(url), /SECRET/, url);
    const error = t.throws(() => parseUpstreamUrl(url), VALUE_ERROR);
    t.notRegex(String(error?.message) + error?.hint, /SECRET/, url);
  }
  t.is(redactUrl(parseProxyUrl('http://u:SECRET@proxy:3128')), 'http://***@proxy:3128/');
});

test('isUpstreamName() is true only for what cannot be a part of a repository name', (t) => {
  for (const name of ['docker.io', 'localhost', 'cache:5000', '10.0.0.1:5000', 'a.b.c']) {
    t.true(isUpstreamName(name), name);
  }
  for (const name of ['library', 'Docker.io', '', 'a/b.c', 'x:0', 'x:70000', 'a..b']) {
    t.false(isUpstreamName(name), name);
  }
});

test('parseStoreUrl() says of redis and s3 that this version does not have them', (t) => {
  t.is(parseStoreUrl('lmdb:', 'lmdb:'), 'lmdb:');
  const redis = t.throws(() => parseStoreUrl('redis://:SECRET@h', 'lmdb:'), VALUE_ERROR);
  t.is(redis?.message, '"redis:" is not in this version of Mica');
  t.throws(() => parseStoreUrl('file:/x', 'file:'), { message: /is not "file:"/ });
});

test('parseCount() takes whole numbers from the least on', (t) => {
  t.is(parseCount('3', 1), 3);
  for (const wrong of ['0', '1.5', '-1', 'x', '', 1e9])
    t.throws(() => parseCount(wrong, 1), VALUE_ERROR);
});

test('suggest() finds the word that was meant and is silent when none is near', (t) => {
  const words = ['listen', 'defaultUpstream', 'negativeTtl', 'ttl'];
  t.is(suggest('lisen', words), 'listen');
  t.is(suggest('default_upstream', words), 'defaultUpstream');
  t.is(suggest('negative-ttl', words), 'negativeTtl');
  t.is(suggest('colour', words), undefined);
});

test('resolvePath() makes paths absolute and parentFolder() goes one up', (t) => {
  t.is(resolvePath('/etc/mica', 'a/../b'), '/etc/mica/b');
  t.is(resolvePath('/etc/mica', '/x//y/.'), '/x/y');
  t.is(resolvePath('/etc', '../../..'), '/');
  t.is(parentFolder('/etc/mica/mica.yaml'), '/etc/mica');
});

function isSafeOrThrows(parse: () => number): boolean {
  try {
    return Number.isSafeInteger(parse());
  } catch (error) {
    return error instanceof ValueError;
  }
}
