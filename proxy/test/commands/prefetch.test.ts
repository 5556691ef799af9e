import type { ExecutionContext } from 'ava';
import test from 'ava';
import { prefetch } from '../../src/commands/prefetch.ts';
import type { Registry } from '../upstream-double/contract.ts';
import { startRegistry } from '../upstream-double/registry.ts';
import { makeCommandFolder } from './command-folder.ts';

const REPOSITORY = 'docker.io/library/debian';
const PLATFORMS = ['linux/amd64', 'linux/arm64', 'linux/arm/v7'];

/** A registry in the mirror's place, and a command's context that is configured for it. */
async function setUp(t: ExecutionContext) {
  const mirror: Registry = await startRegistry();
  t.teardown(() => mirror.close());
  const folder = await makeCommandFolder(t, { MICA_LISTEN: mirror.host });
  return { mirror, context: () => folder.context() };
}

test("prefetch() pulls the image of this machine's platform from an index", async (t) => {
  const { mirror, context } = await setUp(t);
  const options = { repository: REPOSITORY, tag: '12', seed: 'a', layers: [5000, 70_000] };
  const { images, index } = mirror.putMultiImage(options, PLATFORMS);
  const command = context();
  t.is(await prefetch(command, ['debian:12'], { json: true }), 0);
  t.like(command.terminal.json(), {
    images: [
      { image: 'docker.io/library/debian:12', digest: index.digest, manifests: 2, blobs: 3 },
    ],
  });
  for (const blob of [images[0]?.config, ...(images[0]?.layers ?? [])]) {
    t.is(mirror.count(`/blobs/${blob?.digest}`), 1);
  }
  t.is(mirror.count(`/manifests/${images[1]?.manifest.digest}`), 0);
});

test('prefetch() pulls the platforms that are named, or all', async (t) => {
  const { mirror, context } = await setUp(t);
  mirror.putMultiImage({ repository: REPOSITORY, tag: '12', seed: 'a' }, PLATFORMS);
  const named = context();
  const platform = ['linux/arm64', 'linux/arm/v7'];
  t.is(await prefetch(named, ['debian:12'], { platform, json: true }), 0);
  t.like(named.terminal.json(), { images: [{ manifests: 3, blobs: 4 }] });
  const all = context();
  t.is(await prefetch(all, ['debian:12'], { allPlatforms: true, json: true }), 0);
  t.like(all.terminal.json(), { images: [{ manifests: 4, blobs: 6 }] });
});

test('prefetch() asks once for a blob that two images share', async (t) => {
  const { mirror, context } = await setUp(t);
  const base = new Uint8Array(3000).fill(7);
  for (const tag of ['1', '2']) {
    mirror.putImage({ repository: REPOSITORY, tag, seed: tag, layers: [base, 100] });
  }
  const command = context();
  t.is(await prefetch(command, ['debian:1', 'debian:2'], {}), 0);
  t.regex(command.terminal.stdout, /^IMAGE .*\n.*debian:1 .*fetched\n.*debian:2 .*fetched\n$/);
  t.is(mirror.count('/blobs/'), 5);
});

test('prefetch() names the platforms there are when the wanted one is missing', async (t) => {
  const { mirror, context } = await setUp(t);
  mirror.putMultiImage({ repository: REPOSITORY, tag: '12', seed: 'a' }, PLATFORMS);
  const command = context();
  t.is(await prefetch(command, ['debian:12'], { platform: ['linux/s390x'] }), 1);
  t.regex(command.terminal.stdout, /failed: .*linux\/amd64, linux\/arm64, linux\/arm\/v7/);
});

test('prefetch() asks again when a body ends short, and fails when its bytes are wrong', async (t) => {
  const { mirror, context } = await setUp(t);
  const image = mirror.putImage({ repository: REPOSITORY, tag: '12', seed: 'a', layers: [90_000] });
  const path = `/blobs/${image.layers[0]?.digest}`;
  mirror.faults.add({
    path,
    times: 1,
    fault: { kind: 'too-few', after: 5000, framing: 'length' },
  });
  t.is(await prefetch(context(), ['debian:12'], {}), 0);
  t.is(mirror.count(path), 2);
  mirror.faults.add({ path, fault: { kind: 'wrong-bytes' } });
  const command = context();
  t.is(await prefetch(command, ['debian:12'], {}), 1);
  t.regex(command.terminal.stdout, /failed: .*not those of sha256:/);
});

test('prefetch() refuses a manifest of another digest', async (t) => {
  const { mirror, context } = await setUp(t);
  mirror.putImage({ repository: REPOSITORY, tag: '12', seed: 'a' });
  mirror.faults.add({ path: '/manifests/', fault: { kind: 'wrong-bytes' } });
  const command = context();
  t.is(await prefetch(command, ['debian:12'], {}), 1);
  t.regex(command.terminal.stdout, /not those of sha256:/);
});

test('prefetch() goes on with the other images when one is unknown', async (t) => {
  const { mirror, context } = await setUp(t);
  mirror.putImage({ repository: REPOSITORY, tag: '12', seed: 'a' });
  const command = context();
  t.is(await prefetch(command, ['debian:none', 'debian:12'], {}), 1);
  t.regex(command.terminal.stdout, /debian:none .*failed: .*404/);
  t.regex(command.terminal.stdout, /debian:12 .*fetched/);
});

test('prefetch() says that the server must run', async (t) => {
  const { mirror, context } = await setUp(t);
  await mirror.refuse();
  const command = context();
  t.is(await prefetch(command, ['debian:12'], {}), 1);
  t.regex(command.terminal.stderr, /mica serve must run/);
});

test('prefetch() gives 2 for a wrong name or platform, or none', async (t) => {
  const { context } = await setUp(t);
  t.is(await prefetch(context(), [], {}), 2);
  t.is(await prefetch(context(), ['NO NAME'], {}), 2);
  t.is(await prefetch(context(), ['debian'], { platform: ['arm64'] }), 2);
});
