import test from 'ava';
import {
  formatImageReference,
  ImageReferenceError,
  parseImageReference,
} from '../../src/commands/parse-image-reference.ts';

const upstreams = { has: (name: string) => CONFIGURED.has(name), defaultName: 'docker.io' };
const CONFIGURED = new Set(['docker.io', 'ghcr.io', 'localhost:5601', 'internal']);
const HEX = '0123456789abcdef'.repeat(4);

function parse(text: string): string {
  return formatImageReference(parseImageReference(text, upstreams));
}

test('parseImageReference() completes names as Docker does', (t) => {
  t.is(parse('debian'), 'docker.io/library/debian:latest');
  t.is(parse('debian:12'), 'docker.io/library/debian:12');
  t.is(parse('docker.io/debian'), 'docker.io/library/debian:latest');
  t.is(parse('index.docker.io/library/debian'), 'docker.io/library/debian:latest');
  t.is(parse('bitnami/redis:7'), 'docker.io/bitnami/redis:7');
});

test('parseImageReference() knows a registry by its dot, port or configuration', (t) => {
  t.is(parse('ghcr.io/o/r'), 'ghcr.io/o/r:latest');
  t.is(parse('localhost:5601/app:v1'), 'localhost:5601/app:v1');
  t.is(parse('internal/app'), 'internal/app:latest');
});

test('parseImageReference() takes the digest when there is a tag too', (t) => {
  t.is(parse(`ghcr.io/o/r@sha256:${HEX}`), `ghcr.io/o/r@sha256:${HEX}`);
  t.is(parse(`ghcr.io/o/r:v1@sha256:${HEX}`), `ghcr.io/o/r@sha256:${HEX}`);
});

test('parseImageReference() takes plain names from the default where Docker Hub is not configured', (t) => {
  const hub = { has: (name: string) => name === 'mirror', defaultName: 'mirror' };
  const { repository } = parseImageReference('team/app', hub);
  t.deepEqual({ ...repository }, { upstream: 'mirror', name: repository.name });
});

test('parseImageReference() names the upstream that is not configured', (t) => {
  const error = t.throws(() => parse('quay.io/o/r'), { instanceOf: ImageReferenceError });
  t.is(error.code, 'UPSTREAM_UNKNOWN');
  t.regex(error.message, /quay\.io/);
});

for (const text of [
  '',
  ':',
  'UPPER',
  'a//b',
  'debian:',
  'debian:-x',
  'debian@12',
  'ghcr.io/',
  '@',
]) {
  test(`parseImageReference() refuses ${JSON.stringify(text)}`, (t) => {
    const error = t.throws(() => parse(text), { instanceOf: ImageReferenceError });
    t.is(error.code, 'REFERENCE_INVALID');
  });
}
