import test from 'ava';
import { localAddress } from '../../src/commands/local-address.ts';

test('localAddress() reaches a server that listens on every address', (t) => {
  t.is(localAddress({ host: '0.0.0.0', port: 5001 }), '127.0.0.1:5001');
  t.is(localAddress({ host: '::', port: 5001 }), '[::1]:5001');
  t.is(localAddress({ host: '10.0.0.1', port: 5001 }), '10.0.0.1:5001');
});
