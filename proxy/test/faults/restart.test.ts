// A server that is killed in the middle of a fill, and stored bytes that rot while it is down.

import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { request } from 'undici';
import { get } from '../http/client.ts';
import { startMica } from '../server-under-test.ts';
import { type Content, seededBytes } from '../upstream-double/content.ts';
import type { Registry } from '../upstream-double/contract.ts';
import { startRegistry } from '../upstream-double/registry.ts';
import { checkAnswer } from './outcome.ts';

const SIZE = 6_000_000;
const BREAK = 4_000_000;

interface Scene {
  readonly data: string;
  readonly upstream: Registry;
  readonly upstreams: Readonly<Record<string, unknown>>;
  readonly blob: Content;
  readonly path: string;
}

async function makeScene(t: ExecutionContext): Promise<Scene> {
  const data = await mkdtemp(join(tmpdir(), 'mica-restart-'));
  const upstream = await startRegistry();
  t.teardown(async () => {
    await upstream.close();
    await rm(data, { recursive: true, force: true });
  });
  const image = upstream.putImage({ repository: 'app', tag: 'v1', seed: t.title, layers: [SIZE] });
  const blob = image.layers[0] ?? image.config;
  const upstreams = { 'up.test': { url: upstream.url } };
  return { data, upstream, upstreams, blob, path: `/v2/app/blobs/${blob.digest}` };
}

/** Reads most of a blob, then kills the server while its upstream is silent. */
async function killInMidFill(t: ExecutionContext, scene: Scene): Promise<void> {
  const { upstream, blob, path } = scene;
  const mica = await startMica(scene);
  t.is((await get(`${mica.url}/v2/app/manifests/v1`)).status, 200);
  const heal = upstream.faults.add({ path: blob.digest, fault: { kind: 'stall', after: BREAK } });
  const answer = await request(`${mica.url}${path}`);
  answer.body.on('error', () => undefined);
  let length = 0;
  for await (const chunk of answer.body) {
    length += chunk.length;
    if (length >= BREAK - 500_000) break;
  }
  await mica.kill();
  heal();
}

async function filesUnder(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

test('a fill that was killed goes on by Range after a restart', async (t) => {
  const scene = await makeScene(t);
  await killInMidFill(t, scene);
  const mica = await startMica(scene);
  t.teardown(() => mica.stop());
  t.true(checkAnswer(t, await get(`${mica.url}${scene.path}`), scene.blob));
  const gets = scene.upstream.requests.filter(
    ({ path, method }) => path.includes(scene.blob.digest) && method === 'GET',
  );
  t.is(gets.length, 2);
  t.regex(String(gets[1]?.headers.range), /^bytes=[1-9]\d*-$/);
  t.true(scene.upstream.bytesSent(scene.blob.digest) < BREAK + SIZE / 2);
});

test('a partial fill that was damaged while the server was down never becomes a wrong body', async (t) => {
  const scene = await makeScene(t);
  await killInMidFill(t, scene);
  const files = await filesUnder(join(scene.data, 'fills'));
  t.true(files.length > 0);
  for (const file of files) {
    const bytes = await readFile(file);
    if (bytes.length < 1_000_000) continue;
    bytes[1000] = (bytes[1000] ?? 0) ^ 0xff;
    await writeFile(file, bytes);
  }
  const mica = await startMica(scene);
  t.teardown(() => mica.stop());
  checkAnswer(t, await get(`${mica.url}${scene.path}`), scene.blob);
  t.true(checkAnswer(t, await get(`${mica.url}${scene.path}`), scene.blob));
});

test('half a fill is not served as a blob while the upstream is gone', async (t) => {
  const scene = await makeScene(t);
  await killInMidFill(t, scene);
  await scene.upstream.refuse();
  const mica = await startMica(scene);
  t.teardown(() => mica.stop());
  t.false(checkAnswer(t, await get(`${mica.url}${scene.path}`), scene.blob));
  await scene.upstream.restore();
});

for (const [title, recheck, damage] of [
  [
    'a flipped bit',
    '1ms',
    async (file: string) => {
      const bytes = await readFile(file);
      bytes[SIZE / 2] = (bytes[SIZE / 2] ?? 0) ^ 0x04;
      await writeFile(file, bytes);
    },
  ],
  ['a cut', '30d', (file: string) => truncate(file, SIZE / 2)],
  ['zero bytes', '30d', (file: string) => truncate(file, 0)],
  [
    'bytes too many',
    '30d',
    async (file: string) => writeFile(file, seededBytes('more', 10), { flag: 'a' }),
  ],
  ['a loss', '30d', (file: string) => rm(file)],
] as const) {
  test(`a stored blob with ${title} heals by a new fill`, async (t) => {
    const scene = await makeScene(t);
    const first = await startMica(scene);
    for (const path of ['/v2/app/manifests/v1', scene.path])
      t.is((await get(`${first.url}${path}`)).status, 200);
    await first.stop();
    const hex = scene.blob.digest.slice('sha256:'.length);
    await damage(join(scene.data, 'blobs', 'sha256', hex.slice(0, 2), hex));
    const mica = await startMica({ ...scene, config: { store: { recheck } } });
    t.teardown(() => mica.stop());
    const seen: boolean[] = [];
    for (let count = 0; count < 5 && seen.at(-1) !== true; count += 1)
      seen.push(checkAnswer(t, await get(`${mica.url}${scene.path}`), scene.blob));
    t.true(seen.at(-1), seen.join());
    const before = scene.upstream.count(scene.blob.digest, 'GET');
    t.is(before, 2);
    t.true(checkAnswer(t, await get(`${mica.url}${scene.path}`), scene.blob));
    t.is(scene.upstream.count(scene.blob.digest, 'GET'), before);
  });
}
