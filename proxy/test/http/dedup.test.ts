// The registry tier through the real server: layers are taken apart, and come out the same.

import { execFile } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { makeFiles, makeLayer, makeTar } from '../dedup/layers.ts';
import { makeFolder, removeFolder } from '../doubles/test-runtime.ts';
import type { LogLine } from '../server-under-test.ts';
import { digestBytes, type Image } from '../upstream-double/content.ts';
import { basic, get, head } from './client.ts';
import { type MirrorUnderTest, startMirror } from './mirror.ts';

const run = promisify(execFile);
const MAIN = fileURLToPath(new URL('../../src/adapter/node/main.js', import.meta.url));

/** Two layers that share files, and one that is too small. */
const LAYERS = [
  makeLayer([...makeFiles(20, 1), ...makeFiles(10, 100)]),
  makeTar([...makeFiles(20, 1), ...makeFiles(10, 200)]),
  makeTar([]).subarray(0, 600),
];

async function start(
  t: ExecutionContext,
  dedup: Readonly<Record<string, unknown>>,
): Promise<{ mirror: MirrorUnderTest; data: string; image: Image }> {
  const data = await makeFolder();
  const mirror = await startMirror({ data, config: { dedup } });
  t.teardown(async () => {
    await mirror.stop();
    await removeFolder(data);
  });
  const image = mirror.upstream.putImage({
    repository: 'team/app',
    tag: 'v1',
    seed: 'app',
    layers: LAYERS,
  });
  return { mirror, data, image };
}

async function pull(t: ExecutionContext, mirror: MirrorUnderTest, image: Image): Promise<void> {
  t.is((await get(mirror.url('/v2/team/app/manifests/v1'))).status, 200);
  for (const { digest } of [image.config, ...image.layers]) {
    const answer = await get(mirror.url(`/v2/team/app/blobs/${digest}`));
    t.is(answer.status, 200, digest);
    t.is(digestBytes(answer.body), digest);
  }
}

interface Stats {
  readonly core: string;
  readonly layers: Readonly<Record<string, unknown>>;
  readonly bytes: Readonly<Record<string, number>>;
  readonly files: { readonly unique: number; readonly duplicate: number };
  readonly restores: { readonly count: number; readonly seconds: number };
  readonly fills: { readonly running: number };
  readonly prediction: Readonly<Record<'made' | 'used' | 'wasted', number>>;
}

async function readStats(mirror: MirrorUnderTest): Promise<Stats> {
  const response = await fetch(`${mirror.mica.admin}/stats`);
  return (await response.json()) as Stats;
}

/** Waits until stats count so many layers: they are counted anew now and then only. */
async function untilLayers(
  mirror: MirrorUnderTest,
  expected: Readonly<Record<string, number>>,
): Promise<Stats> {
  for (;;) {
    const stats = await readStats(mirror);
    const isReached = Object.entries(expected).every(([key, count]) => stats.layers[key] === count);
    if (isReached) return stats;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** Three layers, of which the small one stays whole. */
const TAKEN_APART = { total: 3, whole: 1, recipeOnly: 2, pending: 0, notExact: 0 };

async function verify(data: string): Promise<{ damage: unknown[]; recipes: number }> {
  const env = { ...process.env, MICA_DATA: data };
  const { stdout } = await run(process.execPath, [MAIN, 'verify', '--json'], { env, cwd: data });
  return JSON.parse(stdout) as { damage: unknown[]; recipes: number };
}

async function wholeBlobs(data: string): Promise<string[]> {
  const names = await readdir(join(data, 'blobs'), { recursive: true });
  return names.flatMap((name) => /[0-9a-f]{64}$/.exec(name)?.[0] ?? []);
}

async function duOf(path: string): Promise<number> {
  const { stdout } = await run('du', ['-s', '--block-size=1', path]);
  return Number.parseInt(stdout, 10);
}

test('in mode b without replicas, layers are served from recipes when the upstream is gone', async (t) => {
  const { mirror, data, image } = await start(t, { mode: 'b', replicas: 0 });
  await pull(t, mirror, image);
  const stats = await untilLayers(mirror, TAKEN_APART);
  t.like(stats, {
    core: 'native',
    files: { unique: 40, duplicate: 20 },
    fills: { running: 0 },
  });
  t.is((await wholeBlobs(data)).length, 3, 'manifest, config, the small layer');
  const { bytes } = stats;
  t.true(Math.abs((bytes['stored'] ?? 0) - (await duOf(data))) < 0.01 * (await duOf(data)));
  const before = mirror.upstream.count('/blobs/', 'GET');
  await mirror.upstream.refuse();
  await pull(t, mirror, image);
  for (const [at, { digest }] of image.layers.entries()) {
    const url = mirror.url(`/v2/team/app/blobs/${digest}`);
    const layer = LAYERS[at] ?? new Uint8Array();
    t.is((await head(url)).headers['content-length'], String(layer.length));
    const part = await get(url, { range: 'bytes=100-299' });
    t.is(part.status, 206);
    t.is(Buffer.compare(part.body, layer.subarray(100, 300)), 0);
  }
  await mirror.upstream.restore();
  t.is(mirror.upstream.count('/blobs/', 'GET'), before);
  const { restores } = await readStats(mirror);
  t.true(restores.count >= 4);
  t.like(await verify(data), { damage: [], recipes: 2 });
});

test('layers that were stored before their manifest are taken apart too', async (t) => {
  const { mirror, image } = await start(t, { mode: 'b', replicas: 0 });
  for (const { digest } of image.layers)
    t.is((await get(mirror.url(`/v2/team/app/blobs/${digest}`))).status, 200);
  t.like((await readStats(mirror)).layers, { recipeOnly: 0, pending: 0 });
  t.is((await get(mirror.url('/v2/team/app/manifests/v1'))).status, 200);
  await untilLayers(mirror, TAKEN_APART);
});

test('in mode b whole copies stay beside the recipes; in mode off nothing is taken apart', async (t) => {
  const kept = await start(t, { mode: 'b', replicas: 1 });
  const off = await start(t, { mode: 'off' });
  await pull(t, kept.mirror, kept.image);
  await pull(t, off.mirror, off.image);
  await untilLayers(kept.mirror, { total: 3, whole: 3, recipeOnly: 0, pending: 0 });
  t.like((await readStats(off.mirror)).layers, { total: 0, pending: 0 });
  t.like(await verify(kept.data), { damage: [], recipes: 2 });
});

test('in mode s the whole copies that were used last stay inside the budget', async (t) => {
  const { mirror, image } = await start(t, { mode: 's', rawBudget: `${LAYERS[1]?.length ?? 0}` });
  await pull(t, mirror, image);
  const stats = await untilLayers(mirror, { total: 3, pending: 0 });
  t.true(Number(stats.layers['recipeOnly']) >= 1);
  await pull(t, mirror, image);
});

/** Runs one mode after another on the same data folder; the upstream is there only for the first. */
async function inTurn(t: ExecutionContext) {
  const data = await makeFolder();
  t.teardown(() => removeFolder(data));
  let stop = async (): Promise<void> => undefined;
  t.teardown(() => stop());
  const next = async (dedup: Readonly<Record<string, unknown>>): Promise<MirrorUnderTest> => {
    await stop();
    const mirror = await startMirror({ data, config: { dedup } });
    stop = async () => {
      stop = async () => undefined;
      await mirror.stop();
    };
    return mirror;
  };
  const first = await next({ mode: 'b', replicas: 0 });
  const content = { repository: 'team/app', tag: 'v1', seed: 'app', layers: LAYERS };
  const image = first.upstream.putImage(content);
  await pull(t, first, image);
  await untilLayers(first, TAKEN_APART);
  return { data, image, next };
}

async function untilWhole(data: string, blobs: number): Promise<void> {
  while ((await wholeBlobs(data)).length !== blobs)
    await new Promise((resolve) => setTimeout(resolve, 100));
}

test('another mode at the next start converts what is there, in every direction', async (t) => {
  const { data, image, next } = await inTurn(t);
  const isDropped = (line: LogLine) => /^recipes were removed/.test(String(line['msg']));
  const check = async (mirror: MirrorUnderTest, layers: Readonly<Record<string, number>>) => {
    await untilLayers(mirror, layers);
    await mirror.upstream.refuse();
    await pull(t, mirror, image);
    t.deepEqual((await verify(data)).damage, []);
  };
  const kept = await next({ mode: 'b', replicas: 1 });
  const told = await kept.mica.waitForLog((line) => line['left'] === 0);
  t.like(told, { mode: 'b', layers: 2 });
  t.is((await wholeBlobs(data)).length, 5, 'manifest, config, three layers');
  await check(kept, { total: 3, whole: 3, recipeOnly: 0 });

  const off = await next({ mode: 'off' });
  t.like(await off.mica.waitForLog(isDropped), { layers: 2, left: 0 });
  t.deepEqual(await readdir(join(data, 'packs')), []);
  t.is((await wholeBlobs(data)).length, 5);
  await check(off, { total: 1, recipeOnly: 0 });

  const files = await next({ mode: 'b', replicas: 0 });
  await untilWhole(data, 3);
  await check(files, { total: 3, whole: 1, recipeOnly: 2 });

  const whole = await next({ mode: 'off' });
  t.like(await whole.mica.waitForLog(isDropped), { layers: 2, left: 0 });
  t.is((await wholeBlobs(data)).length, 5);
  await check(whole, { total: 1, recipeOnly: 0 });
});

test('in mode s a layer that is asked for again and again is made whole', async (t) => {
  const { data, image, next } = await inTurn(t);
  const second = await next({ mode: 's', rawBudget: '1MiB' });
  const [wanted] = image.layers;
  second.upstream.putImage({ repository: 'team/app', tag: 'v1', seed: 'app', layers: LAYERS });
  const url = second.url(`/v2/team/app/blobs/${wanted?.digest}`);
  // Each address of the loopback network is a client of its own.
  for (const from of ['127.0.0.2', '127.0.0.3', '127.0.0.4']) {
    const options = ['--silent', '--fail', '--interface', from, '--output', '/dev/null'];
    await run('curl', [...options, url]);
  }
  const third = await next({ mode: 's', rawBudget: '1MiB' });
  await untilWhole(data, 4);
  const hex = wanted?.digest.slice('sha256:'.length) ?? '';
  t.true((await wholeBlobs(data)).includes(hex));
  await third.upstream.refuse();
  await pull(t, third, image);
});

test('after a manifest the layers that a client has not pulled are made ahead', async (t) => {
  const { image, next } = await inTurn(t);
  const mirror = await next({ mode: 'b', replicas: 0 });
  await mirror.upstream.refuse();
  const predicted = async () => (await readStats(mirror)).prediction;
  const manifest = mirror.url('/v2/team/app/manifests/v1');
  t.is((await get(manifest)).status, 200);
  t.deepEqual(await predicted(), { made: 0, used: 0, wasted: 0 }, 'this client has them all');
  const curl = async (from: string, url: string) => {
    const options = ['--silent', '--fail', '--interface', from, '--output', '/dev/null'];
    await run('curl', [...options, url]);
  };
  await curl('127.0.0.5', manifest);
  while ((await predicted()).made < 2) await new Promise((resolve) => setTimeout(resolve, 50));
  const before = (await readStats(mirror)).restores.count;
  for (const { digest } of image.layers.slice(0, 2)) {
    const url = mirror.url(`/v2/team/app/blobs/${digest}`);
    await curl('127.0.0.5', url);
    t.is(digestBytes((await get(url)).body), digest);
    t.is((await get(url, { range: 'bytes=5-9' })).body.length, 5);
  }
  t.deepEqual(await predicted(), { made: 2, used: 2, wasted: 0 });
  t.is((await readStats(mirror)).restores.count, before, 'nobody waited for a restore');
  const metrics = await (await fetch(`${mirror.mica.admin}/metrics`)).text();
  t.regex(metrics, /^mica_predicted_layers_total\{outcome="used"\} 2$/m);
});

test('what is made ahead for one client is refused to those who may not see it', async (t) => {
  const data = await makeFolder();
  const repositories = ['private/app'];
  const mirror = await startMirror({
    data,
    registry: {
      authorization: {
        kind: 'bearer',
        tokenServer: 'other',
        anonymous: ['open/app'],
        users: {
          ann: { password: 'a', repositories },
          bob: { password: 'b', repositories },
          cat: { password: 'c', repositories: [] },
        },
      },
    },
    upstream: { passThrough: true },
    config: { dedup: { mode: 'b', replicas: 0 } },
  });
  t.teardown(async () => {
    await mirror.stop();
    await removeFolder(data);
  });
  const content = { repository: 'private/app', tag: 'v1', seed: 'app', layers: LAYERS };
  const image = mirror.upstream.putImage(content);
  const manifest = mirror.url('/v2/private/app/manifests/v1');
  t.is((await get(manifest, basic('ann', 'a'))).status, 200);
  const layers = image.layers.map(({ digest }) => mirror.url(`/v2/private/app/blobs/${digest}`));
  for (const url of layers) t.is((await get(url, basic('ann', 'a'))).status, 200);
  await untilLayers(mirror, TAKEN_APART);
  t.is((await get(manifest, basic('bob', 'b'))).status, 200);
  const predicted = async () => (await readStats(mirror)).prediction;
  while ((await predicted()).made < 2) await new Promise((resolve) => setTimeout(resolve, 50));
  for (const url of layers.slice(0, 2)) {
    const elsewhere = url.replace('/private/', '/open/');
    for (const [asked, headers] of [
      [url, {}],
      [url, basic('cat', 'c')],
      [elsewhere, {}],
    ] as const) {
      const answer = await get(asked, headers);
      t.true([401, 403, 404].includes(answer.status), `${asked}: ${answer.status}`);
      t.true(answer.body.length < 1000);
    }
  }
  t.is((await predicted()).used, 0, 'who is refused has asked for nothing');
  for (const url of layers) t.is((await get(url, basic('bob', 'b'))).status, 200);
  t.is((await predicted()).used, 2);
});

test('with dedup.predict off nothing is made ahead', async (t) => {
  const { next } = await inTurn(t);
  const mirror = await next({ mode: 'b', replicas: 0, predict: false });
  await mirror.upstream.refuse();
  const manifest = mirror.url('/v2/team/app/manifests/v1');
  await run('curl', ['--silent', '--fail', '--interface', '127.0.0.5', manifest]);
  await new Promise((resolve) => setTimeout(resolve, 500));
  t.deepEqual((await readStats(mirror)).prediction, { made: 0, used: 0, wasted: 0 });
});

test('with a damaged pack a layer is fetched again, and no wrong byte is sent', async (t) => {
  const { mirror, data, image } = await start(t, { mode: 'b', replicas: 0 });
  await pull(t, mirror, image);
  await untilLayers(mirror, TAKEN_APART);
  for (const name of await readdir(join(data, 'packs'))) {
    const path = join(data, 'packs', name);
    const bytes = await readFile(path);
    for (let at = 100; at < bytes.length; at += 1000) bytes[at] = (bytes[at] ?? 0) ^ 1;
    await writeFile(path, bytes);
  }
  for (const [at, { digest }] of image.layers.entries()) {
    const url = mirror.url(`/v2/team/app/blobs/${digest}`);
    const layer = LAYERS[at] ?? new Uint8Array();
    const first = await get(url).catch(() => undefined);
    if (first?.status === 200) {
      t.is(Buffer.compare(first.body, layer.subarray(0, first.body.length)), 0);
    }
    const second = await get(url);
    t.is(second.status, 200);
    t.is(digestBytes(second.body), digest);
  }
});

test('an image that is purged gives its packs back', async (t) => {
  const { mirror, data, image } = await start(t, { mode: 'b', replicas: 0 });
  await pull(t, mirror, image);
  await untilLayers(mirror, TAKEN_APART);
  const env = { ...process.env, MICA_DATA: data, MICA_DEFAULT_UPSTREAM: 'docker.io' };
  const upstreams = JSON.stringify({ 'up.test': { url: mirror.upstream.url } });
  const options = {
    env: { ...env, MICA_UPSTREAMS: upstreams, MICA_DEFAULT_UPSTREAM: 'up.test' },
    cwd: data,
  };
  await run(process.execPath, [MAIN, 'purge', 'up.test/team/app:v1'], options);
  t.deepEqual(await readdir(join(data, 'packs')), []);
  const recipes = await readdir(join(data, 'recipes'), { recursive: true });
  t.deepEqual(
    recipes.filter((name) => /[0-9a-f]{64}/.test(name)),
    [],
  );
  await pull(t, mirror, image);
});
