// Kills a process at random moments while it changes the index of files, and counts everything anew.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { openLmdbFileIndex } from '../../src/dedup/lmdb-file-index.ts';
import { openLmdbEnvironment } from '../../src/store/lmdb-environment.ts';
import { digestNumber } from '../conformance/index.ts';
import { recount } from '../dedup/recount.ts';
import { SeededRandom } from './seeded-random.ts';

const KILLS = 60;
/** A kill comes within so many milliseconds of work. */
const MAX_DELAY_MS = 400;
/** After it, what was begun at 0 is abandoned. */
const LATER_MS = 3_600_000;

function moduleOf(path: string): string {
  return JSON.stringify(new URL(path, import.meta.url));
}

/**
 * Brings, removes and moves layers for ever, several at a time. Says `?` and a number before it changes
 * that layer, then `+` when it is there and `-` when it is not.
 */
function programOf(folder: string, seed: number): string {
  return `
    const { openLmdbEnvironment } = await import(${moduleOf('../../src/store/lmdb-environment.js')});
    const { openLmdbFileIndex } = await import(${moduleOf('../../src/dedup/lmdb-file-index.js')});
    const { digestNumber } = await import(${moduleOf('../conformance/index.js')});
    const { bringLayer, collect, compact } = await import(${moduleOf('../conformance/file-index-samples.js')});
    const { SeededRandom } = await import(${moduleOf('./seeded-random.js')});
    const environment = await openLmdbEnvironment({ folder: ${JSON.stringify(folder)} });
    const index = openLmdbFileIndex({ environment, now: () => 0, sliceLength: 5 });
    const say = (line) => process.stdout.write(line + '\\n');
    const work = async (layers, seed) => {
      const random = new SeededRandom(seed);
      for (;;) {
        const layer = layers[random.integer(0, layers.length)];
        const digest = digestNumber(layer);
        const owner = 'owner-' + layers[0];
        const packs = await collect(index.listPacks());
        const pack = packs[random.integer(0, packs.length)]?.number ?? 0;
        const dice = random.next();
        if (dice < 0.1) await index.sealPack((await index.openPack(owner)).number);
        else if (dice < 0.2) await index.removePack(pack);
        else if (dice < 0.4) await compact(index, pack, owner);
        else if (dice < 0.7) {
          say('?' + layer);
          await index.removeLayer(digest);
          say('-' + layer);
        } else {
          const files = Array.from({ length: random.integer(0, 60) }, () => random.integer(0, 80));
          say('?' + layer);
          if (await bringLayer(index, { digest, files, owner })) say('+' + layer);
        }
      }
    };
    say('ready');
    await Promise.all([work([1, 2, 3], ${seed}), work([4, 5, 6], ${seed} + 0.5)]);`;
}

/** Runs the program until a random moment; what it said last of each layer. */
async function runAndKill(folder: string, random: SeededRandom): Promise<Map<number, string>> {
  const program = programOf(folder, random.integer(1, 1_000_000));
  const child: ChildProcess = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  const ready = new Promise<void>((resolve) => {
    child.stdout?.on('data', (text) => {
      said += String(text);
      resolve();
    });
  });
  const ended = once(child, 'close');
  await Promise.race([ready, ended]);
  await delay(random.integer(0, MAX_DELAY_MS));
  child.kill('SIGKILL');
  await ended;
  // The first says that it is ready, the last may be torn.
  const lines = said.split('\n').slice(1, -1);
  return new Map(lines.map((line) => [Number(line.slice(1)), line.slice(0, 1)]));
}

async function check(
  t: ExecutionContext,
  folder: string,
  said: ReadonlyMap<number, string>,
): Promise<number> {
  const environment = await openLmdbEnvironment({ folder });
  const index = openLmdbFileIndex({ environment, now: () => LATER_MS });
  t.deepEqual(recount(environment), []);
  const loose = environment.openDatabase<number, number>('loose-references');
  const abandoned = [...loose.getKeys({})].length;
  await index.claim('later', 1, 2);
  t.deepEqual([...loose.getKeys({})], []);
  t.deepEqual(recount(environment), []);
  for (const [layer, word] of said) {
    const isThere = (await index.getLayer(digestNumber(layer))) !== undefined;
    if (word === '+' || word === '-') t.is(isThere, word === '+', `layer ${layer}`);
  }
  await environment.close();
  return abandoned;
}

test(`${KILLS} kills leave every layer that was promised, and counts that are right`, async (t) => {
  const seed = Number(process.env['MICA_TEST_SEED'] ?? '1');
  t.log(`MICA_TEST_SEED=${seed}`);
  const random = new SeededRandom(seed);
  const folder = await mkdtemp(join(tmpdir(), 'mica-file-index-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  let abandoned = 0;
  let promised = 0;
  for (let round = 0; round < KILLS; round += 1) {
    const said = await runAndKill(folder, random);
    abandoned += await check(t, folder, said);
    promised += [...said.values()].filter((word) => word === '+').length;
  }
  t.log(`${abandoned} sets of references were given up, ${promised} layers were promised`);
  t.true(abandoned > 0);
  t.true(promised > 0);
});
