// Requests that nobody should send: built from what is right, what is almost right, and noise.

import fc from 'fast-check';

const SPECIAL = [
  '..',
  '.',
  '%2e%2e',
  '%2f',
  '%00',
  '%',
  '%zz',
  '%c0%ae',
  '\\',
  ';',
  '@',
  ':',
  '*',
  '_',
  'a__b',
  'a--b',
  'a_-b',
  'A',
  'ü',
  'up.test',
  'docker.io',
  'library',
  'blobs',
  'manifests',
  'tags',
  'list',
  'referrers',
  'uploads',
  '_catalog',
  '__proto__',
  'constructor',
  '127.0.0.1:1',
  'x'.repeat(256),
] as const;

const word = fc.stringMatching(/^[a-z0-9]{1,6}([._-][a-z0-9]{1,4})?$/);
const noise = fc.string({ maxLength: 12, unit: 'binary' });

const component = fc.oneof(
  { weight: 4, arbitrary: word },
  { weight: 3, arbitrary: fc.constantFrom(...SPECIAL) },
  { weight: 1, arbitrary: noise },
);

const name = fc.array(component, { minLength: 0, maxLength: 4 }).map((parts) => parts.join('/'));

const digest = fc.oneof(
  fc.stringMatching(/^sha256:[0-9a-f]{64}$/),
  fc.stringMatching(/^sha512:[0-9a-f]{128}$/),
  fc.stringMatching(/^(sha256|sha512|md5|blake3|SHA256)[:+.%@][0-9a-zA-Z]{0,66}$/),
);

const reference = fc.oneof(
  fc.constant('v1'),
  word,
  digest,
  component,
  fc.constant('t'.repeat(129)),
);

/** Paths of the API, near it and far from it. */
export const path: fc.Arbitrary<string> = fc.oneof(
  fc
    .tuple(name, fc.constantFrom('manifests', 'blobs', 'referrers'), reference)
    .map(([repository, kind, last]) => `/v2/${repository}/${kind}/${last}`),
  name.map((repository) => `/v2/${repository}/tags/list`),
  name.map((repository) => `/v2/${repository}`),
  name.map((repository) => `/${repository}`),
  noise.map((text) => `/v2/${text}`),
);

/** Percent-encodes text; halves of surrogate pairs become U+FFFD as in all UTF-8. */
export function encodeText(text: string): string {
  return encodeURIComponent(Buffer.from(text).toString());
}

const encoded = fc
  .oneof(noise, word, component, digest, fc.constantFrom('-1', '0', '1e9', '9'.repeat(30)))
  .chain((text) => fc.constantFrom(text, encodeText(text)));

const pair = fc
  .tuple(
    fc.oneof(fc.constantFrom('ns', 'n', 'last', 'artifactType', 'digest', 'mount'), encoded),
    encoded,
  )
  .map(([key, value]) => `${key}=${value}`);

export const query: fc.Arbitrary<string> = fc
  .array(fc.oneof({ weight: 5, arbitrary: pair }, encoded), { maxLength: 5 })
  .map((pairs) => (pairs.length === 0 ? '' : `?${pairs.join('&')}`));

const position = fc.oneof(
  fc.nat({ max: 70_000 }).map(String),
  fc.constantFrom('', '0', '65535', '65536', '65537', '99999999999999999999', '-1', 'x', ' '),
);

export const range: fc.Arbitrary<string> = fc
  .tuple(
    fc.oneof(
      { weight: 6, arbitrary: fc.constant('bytes=') },
      fc.constantFrom('Bytes=', 'bytes', '=', ''),
    ),
    fc.array(fc.tuple(position, fc.constantFrom('-', '-', '-', '--', ''), position), {
      maxLength: 6,
    }),
    fc.constantFrom(',', ',', ', ', ' ,', ',,', ';'),
  )
  .map(([unit, ranges, comma]) => unit + ranges.map((parts) => parts.join('')).join(comma));

const HEADERS = [
  'Accept',
  'Accept-Encoding',
  'Authorization',
  'Connection',
  'Content-Length',
  'Content-Type',
  'Cookie',
  'Expect',
  'Host',
  'If-None-Match',
  'If-Range',
  'Range',
  'Transfer-Encoding',
  'Upgrade',
  'X-Forwarded-Host',
] as const;

const headerValue = fc.oneof(
  noise,
  fc.constantFrom(
    '*/*;q=2',
    'gzip, zstd',
    'Basic !!!',
    'Basic Og==',
    'Bearer ',
    'chunked',
    'close, Upgrade',
    '100-continue',
    'h2c',
    '-5',
    '5',
    '4294967297',
    'evil.test',
    'bytes=0-',
    'x'.repeat(9000),
    'x'.repeat(100_000),
  ),
);

const header = fc
  .tuple(fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...HEADERS) }, noise), headerValue)
  .map(([key, value]) => `${key}: ${value}`);

const method = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('GET', 'HEAD') },
  fc.constantFrom(
    'POST',
    'PUT',
    'PATCH',
    'DELETE',
    'OPTIONS',
    'TRACE',
    'CONNECT',
    'PROPFIND',
    'get',
  ),
  noise,
);

/** A whole message with odd method, target, version, headers and body. */
export const message: fc.Arbitrary<string> = fc
  .record({
    method,
    target: fc.tuple(path, query).map((parts) => parts.join('')),
    version: fc.oneof(
      { weight: 6, arbitrary: fc.constant('HTTP/1.1') },
      fc.constantFrom('HTTP/1.0', 'HTTP/2.0', 'HTTP/9', '', 'http/1.1'),
    ),
    headers: fc.array(header, { maxLength: 6 }),
    lineEnd: fc.constantFrom('\r\n', '\r\n', '\r\n', '\n', '\r'),
    body: fc.oneof(fc.constant(''), noise, fc.constant('5\r\nhello\r\n0\r\n\r\n')),
  })
  .map(({ method: verb, target, version, headers, lineEnd, body }) =>
    [`${verb} ${target} ${version}`, 'Host: mirror', ...headers, '', body].join(lineEnd),
  );

/** Changes to the bytes of a right request: replace, insert or remove at a place. */
export interface Mutation {
  readonly at: number;
  readonly remove: number;
  readonly insert: Uint8Array;
}

export const mutations: fc.Arbitrary<Mutation[]> = fc.array(
  fc.record({
    at: fc.nat({ max: 400 }),
    remove: fc.nat({ max: 4 }),
    insert: fc.uint8Array({ maxLength: 4 }),
  }),
  { minLength: 1, maxLength: 4 },
);

export function mutate(bytes: Uint8Array, changes: readonly Mutation[]): Uint8Array {
  return changes.reduce<Uint8Array>((current, { at, remove, insert }) => {
    const start = at % (current.length + 1);
    return Buffer.concat([current.subarray(0, start), insert, current.subarray(start + remove)]);
  }, bytes);
}
