import test from 'ava';
import {
  AddressGuard,
  addressRange,
  RefusedTargetError,
} from '../../src/upstream/address-guard.ts';

const HOSTS: Readonly<Record<string, readonly string[]>> = {
  'registry.example': ['93.184.216.34'],
  'auth.example': ['93.184.216.35', '2606:2800:220:1::1'],
  'inside.example': ['10.0.0.7'],
  'mixed.example': ['192.168.1.1', '93.184.216.36'],
  'mapped.example': ['::ffff:10.0.0.1'],
};

function guard(base: string): AddressGuard {
  return new AddressGuard(new URL(base), {
    lookup: (host) => {
      const addresses = HOSTS[host];
      return addresses === undefined
        ? Promise.reject(new Error(`no such host: ${host}`))
        : Promise.resolve(addresses);
    },
  });
}

const REFUSED = { instanceOf: RefusedTargetError };

test('addressRange() looks inside IPv6 addresses that hold IPv4 ones', (t) => {
  t.is(addressRange('::ffff:127.0.0.1'), 'loopback');
  t.is(addressRange('64:ff9b::a00:1'), 'private');
  t.is(addressRange('64:ff9b::5db8:d822'), 'unicast');
  t.is(addressRange('::ffff:169.254.169.254'), 'metadata');
  t.is(addressRange('not an address'), 'invalid');
});

test('AddressGuard lets a public upstream send to public hosts with https', async (t) => {
  const of = guard('https://registry.example');
  await of.check(new URL('https://auth.example/token'), 'realm');
  t.deepEqual(await of.resolve('auth.example'), HOSTS['auth.example']);
});

test('AddressGuard refuses local addresses to a public upstream', async (t) => {
  const of = guard('https://registry.example');
  const hosts = [
    '127.0.0.1',
    '10.1.2.3',
    '172.16.0.1',
    '192.168.0.1',
    '169.254.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '224.0.0.1',
    '0.0.0.0',
    '255.255.255.255',
    '[::1]',
    '[fe80::1]',
    '[fd00::1]',
    '[ff02::1]',
    '[::ffff:127.0.0.1]',
    '[64:ff9b::7f00:1]',
    '[::]',
    '2130706433',
    '0x7f.1',
  ];
  for (const host of hosts)
    await t.throwsAsync(of.check(new URL(`https://${host}/x`), 'redirect'), REFUSED, host);
  await t.throwsAsync(of.resolve('inside.example'), REFUSED);
  await t.throwsAsync(of.resolve('mapped.example'), REFUSED);
});

test('AddressGuard keeps only the public addresses of a host that has both', async (t) => {
  t.deepEqual(await guard('https://registry.example').resolve('mixed.example'), ['93.184.216.36']);
});

test('AddressGuard refuses other hosts without https', async (t) => {
  const of = guard('https://registry.example');
  await t.throwsAsync(of.check(new URL('http://auth.example/token'), 'realm'), REFUSED);
  await t.throwsAsync(of.check(new URL('http://auth.example/blob'), 'redirect'), REFUSED);
  await t.notThrowsAsync(of.check(new URL('http://registry.example:8080/token'), 'realm'));
});

test('AddressGuard refuses other schemes and names in URLs', async (t) => {
  const of = guard('https://registry.example');
  await t.throwsAsync(of.check(new URL('ftp://registry.example/x'), 'redirect'), REFUSED);
  await t.throwsAsync(of.check(new URL('https://u:p@registry.example/x'), 'redirect'), REFUSED);
});

test('AddressGuard lets an upstream in a site network send to others there, never to metadata', async (t) => {
  const of = guard('http://10.0.0.5:5000');
  t.deepEqual(await of.resolve('inside.example'), ['10.0.0.7']);
  await t.notThrowsAsync(of.check(new URL('http://inside.example/blob'), 'redirect'));
  await t.throwsAsync(of.check(new URL('http://inside.example/token'), 'realm'), REFUSED);
  await t.throwsAsync(of.resolve('127.0.0.1'), REFUSED);
  await t.throwsAsync(of.resolve('169.254.169.254'), REFUSED);
  await t.throwsAsync(of.resolve('100.100.100.200'), REFUSED);
});

test('AddressGuard takes an upstream that cannot be resolved for a public one', async (t) => {
  await t.throwsAsync(guard('https://gone.example').resolve('inside.example'), REFUSED);
});
