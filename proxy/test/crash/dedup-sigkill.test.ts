// Kills the server at random moments while it takes layers apart, makes them again, copies packs, promotes,
// evicts and goes from one mode to another, and looks at what it left and what it serves after.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { runMica } from '../peers/mica.ts';
import { type MicaUnderTest, startMica } from '../server-under-test.ts';
import { readLayers } from '../until-ingested.ts';
import { startRegistry } from '../upstream-double/registry.ts';
import {
  type ConfigParts,
  type Ending,
  pullImages,
  type Setting,
  WORKLOADS,
  type Workload,
} from './kill-workloads.ts';
import { ageFiles, duOf, storedSize } from './leaks.ts';
import { SeededRandom } from './seeded-random.ts';

/** Of all workloads together; `MICA_TEST_KILLS` names another number. */
const KILLS = Number(process.env['MICA_TEST_KILLS'] ?? '204');
const KILLS_EACH = Math.ceil(KILLS / WORKLOADS.length);

/** Every so many kills all that is stored is hashed and counted, and at the end. */
const VERIFY_EVERY = 20;

/** Kills that have to come while something is half done, of those of a workload that can tell. */
const MIN_WITHIN_RATIO = 0.2;

/** How often it is looked whether the server has done its work, ms. */
const SETTLED_POLL_MS = 100;

/** What may be lost for good of the space that is taken. */
const MAX_LEAK_RATIO = 0.01;

for (const [number, workload] of WORKLOADS.entries()) {
  test(`${KILLS_EACH} kills during ${workload.name} lose no layer and serve no wrong byte`, async (t) => {
    const setting = await openSetting(t, number);
    let within = 0;
    for (let round = 0; round < KILLS_EACH; round += 1) {
      const mica = await start(setting, workload.config(setting));
      const isOffline = workload.isStored?.(round) === true;
      if (isOffline) await setting.upstream.refuse();
      await isServed(t, setting, mica, `start ${round}`);
      if (isOffline) await setting.upstream.restore();
      workload.prepare(setting, round);
      // It ends with the server.
      const running = workload.run(setting, mica, round).catch((error: unknown) => error);
      await workload.untilBegun?.(setting);
      await delay(setting.random.next() * workload.maxDelayMs);
      await mica.kill();
      t.is((await running) instanceof Error, false, `kill ${round}: ${String(await running)}`);
      if ((await workload.wasKilledWithin?.(setting)) === true) within += 1;
      if (round % VERIFY_EVERY === VERIFY_EVERY - 1) await verify(t, setting, `kill ${round}`);
    }
    if (workload.wasKilledWithin !== undefined) {
      t.log(`${within} of ${KILLS_EACH} kills came while something was half done`);
      t.true(within >= Math.floor(KILLS_EACH * MIN_WITHIN_RATIO));
    }
    for (const ending of workload.endings) {
      await checkOffline(t, setting, ending);
      await checkSpace(t, setting, workload, ending);
    }
  });
}

async function openSetting(t: ExecutionContext, number: number): Promise<Setting> {
  const seed = Number(process.env['MICA_TEST_SEED'] ?? '1');
  t.log(`MICA_TEST_SEED=${seed}`);
  const upstream = await startRegistry();
  t.teardown(() => upstream.close());
  const folder = await mkdtemp(join(tmpdir(), 'mica-dedup-kill-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const upstreams = { 'docker.io': { url: upstream.url } };
  const random = new SeededRandom(seed * 1000 + number);
  return {
    random,
    upstream,
    upstreams,
    folder,
    data: join(folder, 'data'),
    images: [],
    everything: [],
    configs: [],
  };
}

function start({ upstreams, data }: Setting, config: ConfigParts): Promise<MicaUnderTest> {
  return startMica({ upstreams, data, config });
}

async function isServed(
  t: ExecutionContext,
  { images }: Setting,
  mica: MicaUnderTest,
  message: string,
): Promise<void> {
  const outcomes = await pullImages(mica, images);
  t.deepEqual([...new Set(outcomes)], images.length === 0 ? [] : ['whole'], message);
}

async function verify(t: ExecutionContext, setting: Setting, message: string): Promise<void> {
  const { code, output, errors } = await runMica(setting, 'verify', '--json');
  t.is(errors, '', message);
  t.deepEqual((JSON.parse(output) as { damage: unknown }).damage, [], message);
  t.is(code, 0, message);
}

function layersOf({ images }: Pick<Setting, 'images'>): number {
  return new Set(images.flatMap(({ layers }) => layers.map(({ digest }) => digest))).size;
}

/** What was stored is served without the upstream. */
async function checkOffline(t: ExecutionContext, setting: Setting, ending: Ending): Promise<void> {
  const mica = await start(setting, ending.config);
  await isServed(t, setting, mica, 'at the end');
  await untilSettled(mica, ending, layersOf(setting));
  await setting.upstream.refuse();
  await isServed(t, setting, mica, 'without the upstream');
  await setting.upstream.restore();
  await mica.stop();
  await verify(t, setting, 'at the end');
}

async function untilSettled(mica: MicaUnderTest, ending: Ending, layers: number): Promise<void> {
  while (!ending.isSettled((await readLayers(mica)).layers, layers)) await delay(SETTLED_POLL_MS);
}

/** After a collection nothing is left of what crashes left. */
async function checkSpace(
  t: ExecutionContext,
  setting: Setting,
  { name, isComparable }: Workload,
  ending: Ending,
): Promise<void> {
  await ageFiles(setting.data);
  t.is((await runMica(setting, 'gc')).code, 0);
  await verify(t, setting, 'after the collection');
  const mica = await start(setting, ending.config);
  const { bytes } = await readLayers(mica);
  const used = await duOf(setting.data);
  t.true(Math.abs(bytes.stored - used) <= MAX_LEAK_RATIO * used, `${bytes.stored} of ${used}`);
  await mica.stop();
  if (!isComparable) return;
  const stored = await storedSize(setting.data);
  const fresh = await storedFresh(setting, ending);
  t.log(`${name}: ${stored} bytes stored, ${fresh} without a crash`);
  t.true(Math.abs(stored - fresh) <= MAX_LEAK_RATIO * fresh, `${stored}, not ${fresh}`);
}

/** Bytes that the same images take in a folder without a history. */
async function storedFresh(setting: Setting, ending: Ending): Promise<number> {
  const { folder, everything } = setting;
  const fresh = { ...setting, data: await mkdtemp(join(folder, 'fresh-')) };
  const mica = await start(fresh, ending.config);
  for (const image of everything) await pullImages(mica, [image]);
  await untilSettled(mica, ending, layersOf({ images: everything }));
  await mica.stop();
  return await storedSize(fresh.data);
}
