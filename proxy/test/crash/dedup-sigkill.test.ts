// Kills the server at random moments while it takes layers apart, compacts and removes whole copies, and
// looks at what it left and what it serves after.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { makeFiles, makeTar } from '../dedup/layers.ts';
import { runMica } from '../peers/mica.ts';
import { type MicaUnderTest, startMica } from '../server-under-test.ts';
import type { Image } from '../upstream-double/content.ts';
import { type Registry, startRegistry } from '../upstream-double/registry.ts';
import { pull } from './pull.ts';
import { SeededRandom } from './seeded-random.ts';

const KILLS = 30;
const REPOSITORY = 'site/layers';
const IMAGES_PER_ROUND = 3;

/** A kill comes within so many milliseconds of the last answer: an ingest takes some tens. */
const MAX_DELAY_MS = 600;

/** Every so many rounds the oldest image is purged, so that packs get sparse. */
const PURGE_EVERY = 5;

interface Setting {
  readonly random: SeededRandom;
  readonly upstream: Registry;
  readonly upstreams: Readonly<Record<string, unknown>>;
  readonly folder: string;
  readonly data: string;
  readonly images: { readonly image: Image; readonly tag: string }[];
}

test(`${KILLS} kills while layers are taken apart lose none and serve no wrong byte`, async (t) => {
  const setting = await openSetting(t);
  for (let round = 0; round < KILLS; round += 1) {
    const mica = await start(setting);
    addImages(setting, round);
    await Promise.all(setting.images.map(({ image }) => pullAll(t, mica, image)));
    await delay(setting.random.next() * MAX_DELAY_MS);
    if (round % PURGE_EVERY === PURGE_EVERY - 1) void purgeOldest(setting);
    await mica.kill();
    await verify(t, setting, `after kill ${round}`);
  }
  await checkOffline(t, setting);
});

async function openSetting(t: ExecutionContext): Promise<Setting> {
  const seed = Number(process.env['MICA_TEST_SEED'] ?? '1');
  t.log(`MICA_TEST_SEED=${seed}`);
  const upstream = await startRegistry();
  t.teardown(() => upstream.close());
  const folder = await mkdtemp(join(tmpdir(), 'mica-dedup-kill-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const upstreams = { 'docker.io': { url: upstream.url } };
  const random = new SeededRandom(seed);
  return { random, upstream, upstreams, folder, data: join(folder, 'data'), images: [] };
}

function start({ upstreams, data }: Setting): Promise<MicaUnderTest> {
  return startMica({ upstreams, data, config: { dedup: { mode: 'b', replicas: 0 } } });
}

/** Images whose layers share most files with those before. */
function addImages({ random, upstream, images }: Setting, round: number): void {
  for (let number = 0; number < IMAGES_PER_ROUND; number += 1) {
    const tag = `v${round}-${number}`;
    const layers = [1, 2].map(() =>
      makeTar([
        ...makeFiles(random.integer(1, 20), random.integer(0, 50)),
        ...makeFiles(3, random.integer(1000, 100_000)),
      ]),
    );
    const image = upstream.putImage({ repository: REPOSITORY, tag, seed: tag, layers });
    images.push({ image, tag });
    if (images.length > 12) images.shift();
  }
}

async function pullAll(t: ExecutionContext, mica: MicaUnderTest, image: Image): Promise<void> {
  const base = `${mica.url}/v2/${REPOSITORY}`;
  const { digest } = image.manifest;
  t.is(await pull(`${base}/manifests/${digest}`, digest), 'whole');
  for (const layer of image.layers) {
    t.is(await pull(`${base}/blobs/${layer.digest}`, layer.digest), 'whole', layer.digest);
  }
}

async function purgeOldest(setting: Setting): Promise<void> {
  const oldest = setting.images.shift();
  if (oldest === undefined) return;
  await runMica(setting, 'purge', `docker.io/${REPOSITORY}@${oldest.image.manifest.digest}`);
}

async function verify(t: ExecutionContext, setting: Setting, message: string): Promise<void> {
  const { code, output } = await runMica(setting, 'verify', '--json');
  const { damage } = JSON.parse(output) as { damage: unknown[] };
  t.deepEqual(damage, [], message);
  t.is(code, 0, message);
}

/** What was stored is served without the upstream, and takes no more than it should. */
async function checkOffline(t: ExecutionContext, setting: Setting): Promise<void> {
  const mica = await start(setting);
  await Promise.all(setting.images.map(({ image }) => pullAll(t, mica, image)));
  for (;;) {
    const stats = (await (await fetch(`${mica.admin}/stats`)).json()) as {
      layers: { pending: number };
    };
    if (stats.layers.pending === 0) break;
    await delay(100);
  }
  await setting.upstream.refuse();
  await Promise.all(setting.images.map(({ image }) => pullAll(t, mica, image)));
  await mica.stop();
  await verify(t, setting, 'at the end');
}
