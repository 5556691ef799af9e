import test from 'ava';
import fc from 'fast-check';
import { ClientCredentials, parseBasic } from '../../src/access/client-credentials.ts';
import { OciError } from '../../src/oci/error.ts';

const KEY = new Uint8Array(32).fill(7);

function basic(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

test('parseBasic() gives the name and password that were encoded', (t) => {
  const name = fc.string().filter((text) => !text.includes(':'));
  const word = fc.string();
  fc.assert(
    fc.property(name, word, (username, password) => {
      if (username === '' && password === '') return;
      t.deepEqual(parseBasic(basic(username, password)), { username, password });
    }),
  );
});

test('parseBasic() gives nothing for no header and other schemes', (t) => {
  t.is(parseBasic(undefined), undefined);
  t.is(parseBasic('Bearer abc'), undefined);
});

for (const header of [
  'Basic',
  'Basic ',
  'Basic !',
  'Basic YQ==',
  'Basic /w==',
  basic('a', 'x'.repeat(9000)),
]) {
  test(`parseBasic() refuses ${header.slice(0, 20)} of ${header.length} characters`, (t) => {
    const error = t.throws(() => parseBasic(header), { instanceOf: OciError });
    t.is(error?.status, 401);
  });
}

test('read() gives the same fingerprint for the same credential and key only', async (t) => {
  const one = await new ClientCredentials(KEY).read(basic('a', 'b'));
  const again = await new ClientCredentials(KEY).read(basic('a', 'b'));
  const other = await new ClientCredentials(KEY).read(basic('a', 'c'));
  const otherKey = await new ClientCredentials(new Uint8Array(32)).read(basic('a', 'b'));
  t.regex(one?.fingerprint ?? '', /^[0-9a-f]{64}$/);
  t.is(one?.fingerprint, again?.fingerprint);
  t.not(one?.fingerprint, other?.fingerprint);
  t.not(one?.fingerprint, otherKey?.fingerprint);
});
