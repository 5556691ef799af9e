// WWW-Authenticate as registries and others send it.

import test from 'ava';
import fc from 'fast-check';
import { parseChallenges } from '../../src/upstream/challenge.ts';

const plain = (header: string) =>
  parseChallenges(header).map(({ scheme, parameters, token68 }) => ({
    scheme,
    ...Object.fromEntries(parameters),
    ...(token68 === undefined ? {} : { token68 }),
  }));

test('parseChallenges() reads the challenge of Docker Hub', (t) => {
  const header =
    'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/x:pull,push"';
  t.deepEqual(plain(header), [
    {
      scheme: 'bearer',
      realm: 'https://auth.docker.io/token',
      service: 'registry.docker.io',
      scope: 'repository:library/x:pull,push',
    },
  ]);
});

test('parseChallenges() tells several challenges in one header apart', (t) => {
  t.deepEqual(
    plain('Newauth realm="apps", type=1, title="Login to \\"apps\\"", Basic realm="simple"'),
    [
      { scheme: 'newauth', realm: 'apps', type: '1', title: 'Login to "apps"' },
      { scheme: 'basic', realm: 'simple' },
    ],
  );
  t.deepEqual(plain(', Negotiate, ,BASIC  REALM = "a, b=c" ,NTLM YWJj=='), [
    { scheme: 'negotiate' },
    { scheme: 'basic', realm: 'a, b=c' },
    { scheme: 'ntlm', token68: 'YWJj==' },
  ]);
});

test('parseChallenges() reads several headers', (t) => {
  const challenges = parseChallenges(['Bearer realm="a"', 'Basic realm="b"']);
  t.deepEqual(
    challenges.map(({ scheme }) => scheme),
    ['bearer', 'basic'],
  );
});

test('parseChallenges() keeps what came before a syntax error', (t) => {
  t.deepEqual(plain('Basic realm="a", Bearer realm="never closed'), [
    { scheme: 'basic', realm: 'a' },
    { scheme: 'bearer' },
  ]);
  t.deepEqual(plain('"quoted"'), []);
  t.deepEqual(parseChallenges(undefined), []);
});

test('parseChallenges() keeps the first of two parameters with one name', (t) => {
  t.deepEqual(plain('Bearer realm="a", Realm="b"'), [{ scheme: 'bearer', realm: 'a' }]);
});

const TOKEN_CHARACTERS = [..."!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"];
const token = fc.string({
  unit: fc.constantFrom(...TOKEN_CHARACTERS),
  minLength: 1,
  maxLength: 12,
});
const value = fc.string({
  unit: fc.oneof(fc.string({ minLength: 1, maxLength: 1 }), fc.constantFrom('"', '\\', ',', '=')),
  maxLength: 30,
});
const challenge = fc.record({
  scheme: token,
  parameters: fc.uniqueArray(fc.tuple(token, value), {
    minLength: 1,
    maxLength: 5,
    selector: ([name]) => name,
  }),
});

test('parseChallenges() gives back every challenge that was written by the grammar', (t) => {
  fc.assert(
    fc.property(fc.array(challenge, { maxLength: 5 }), (challenges) => {
      const header = challenges
        .map(({ scheme, parameters }) => {
          const pairs = parameters.map(
            ([name, text]) => `${name}="${text.replace(/["\\]/g, '\\$&')}"`,
          );
          return `${scheme} ${pairs.join(', ')}`;
        })
        .join(', ');
      const parsed = parseChallenges(header).map(({ scheme, parameters }) => ({
        scheme,
        parameters: [...parameters],
      }));
      t.deepEqual(parsed, challenges);
    }),
  );
  t.pass();
});

test('parseChallenges() takes any text without failing', (t) => {
  fc.assert(
    fc.property(fc.string({ maxLength: 300 }), (text) => {
      t.true(parseChallenges(text).length <= 16);
    }),
  );
  const hostile = ['a='.repeat(100_000), 'a '.repeat(100_000), `B r="${'\\'.repeat(100_000)}`];
  for (const text of hostile) t.true(parseChallenges(text).length <= 16);
});
