// Kills the server at random moments while it takes layers apart, makes them again, copies packs, promotes
// and evicts, and looks at what it left and what it serves after.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { runMica } from '../peers/mica.ts';
import { type MicaUnderTest, startMica } from '../server-under-test.ts';
import { untilIngested } from '../until-ingested.ts';
import { startRegistry } from '../upstream-double/registry.ts';
import { pullImages, type Setting, WORKLOADS, type Workload } from './kill-workloads.ts';
import { ageFiles, duOf, storedSize } from './leaks.ts';
import { SeededRandom } from './seeded-random.ts';

/** Of all workloads together; `MICA_TEST_KILLS` names another number. */
const KILLS = Number(process.env['MICA_TEST_KILLS'] ?? '200');
const KILLS_EACH = Math.ceil(KILLS / WORKLOADS.length);

/** Every so many kills all that is stored is hashed and counted, and at the end. */
const VERIFY_EVERY = 20;

/** What may be lost for good of the space that is taken. */
const MAX_LEAK_RATIO = 0.01;

for (const [number, workload] of WORKLOADS.entries()) {
  test(`${KILLS_EACH} kills during ${workload.name} lose no layer and serve no wrong byte`, async (t) => {
    const setting = await openSetting(t, number);
    for (let round = 0; round < KILLS_EACH; round += 1) {
      const mica = await start(setting, workload);
      await isServed(t, setting, mica, `start ${round}`);
      workload.prepare(setting, round);
      // It ends with the server.
      const running = workload.run(setting, mica, round).catch((error: unknown) => error);
      await delay(setting.random.next() * workload.maxDelayMs);
      await mica.kill();
      t.is((await running) instanceof Error, false, `kill ${round}: ${String(await running)}`);
      if (round % VERIFY_EVERY === VERIFY_EVERY - 1) await verify(t, setting, `kill ${round}`);
    }
    await checkOffline(t, setting, workload);
    await checkSpace(t, setting, workload);
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
  };
}

function start({ upstreams, data }: Setting, { config }: Workload): Promise<MicaUnderTest> {
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
async function checkOffline(
  t: ExecutionContext,
  setting: Setting,
  workload: Workload,
): Promise<void> {
  const mica = await start(setting, workload);
  await isServed(t, setting, mica, 'at the end');
  await untilIngested(mica, layersOf(setting));
  await setting.upstream.refuse();
  await isServed(t, setting, mica, 'without the upstream');
  await setting.upstream.restore();
  await mica.stop();
  await verify(t, setting, 'at the end');
}

/** After a collection nothing is left of what crashes left. */
async function checkSpace(
  t: ExecutionContext,
  setting: Setting,
  workload: Workload,
): Promise<void> {
  await ageFiles(setting.data);
  t.is((await runMica(setting, 'gc')).code, 0);
  await verify(t, setting, 'after the collection');
  const mica = await start(setting, workload);
  const response = await fetch(`${mica.admin}/stats`);
  const { bytes } = (await response.json()) as { bytes: { stored: number } };
  const used = await duOf(setting.data);
  t.true(Math.abs(bytes.stored - used) <= MAX_LEAK_RATIO * used, `${bytes.stored} of ${used}`);
  await mica.stop();
  if (!workload.isComparable) return;
  const stored = await storedSize(setting.data);
  const fresh = await storedFresh(setting, workload);
  t.log(`${workload.name}: ${stored} bytes stored, ${fresh} without a crash`);
  t.true(Math.abs(stored - fresh) <= MAX_LEAK_RATIO * fresh, `${stored}, not ${fresh}`);
}

/** Bytes that the same images take in a folder without a history. */
async function storedFresh(setting: Setting, workload: Workload): Promise<number> {
  const { folder, everything } = setting;
  const fresh = { ...setting, data: join(folder, 'fresh') };
  const mica = await start(fresh, workload);
  for (const image of everything) await pullImages(mica, [image]);
  await untilIngested(mica, layersOf({ images: everything }));
  await mica.stop();
  return await storedSize(fresh.data);
}
