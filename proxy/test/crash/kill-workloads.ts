// What a server does when it is killed: each workload is a configuration, what is stored, and what goes on at
// the moment.

import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { LayerStats } from '../../src/dedup/layer-stats.ts';
import { makeFiles, makeLayer, makeTar, makeText } from '../dedup/layers.ts';
import { runMica, startMicaCommand } from '../peers/mica.ts';
import type { MicaUnderTest } from '../server-under-test.ts';
import type { Image } from '../upstream-double/content.ts';
import type { Registry } from '../upstream-double/registry.ts';
import { pull } from './pull.ts';
import type { SeededRandom } from './seeded-random.ts';

export const REPOSITORY = 'site/layers';

/** Images that are pulled at a time at most. */
const MAX_IMAGES = 6;

export interface Setting {
  readonly random: SeededRandom;
  readonly upstream: Registry;
  readonly upstreams: Readonly<Record<string, unknown>>;
  /** Where commands have their configuration. */
  readonly folder: string;
  readonly data: string;
  /** Those that are expected to be served, the oldest in front. */
  readonly images: Image[];
  /** All that ever were, in the order in which they were pulled. */
  readonly everything: Image[];
  /** Of the starts until now, where they differ. */
  readonly configs: ConfigParts[];
}

/** Parts of a configuration. */
export type ConfigParts = Readonly<Record<string, unknown>>;

export interface Workload {
  readonly name: string;
  /** Of the next start. */
  config(setting: Setting): ConfigParts;
  /** Of the starts at the end, after each of which all is looked at. */
  readonly endings: readonly Ending[];
  /** What the kill waits for: on a slow machine nothing would have begun. */
  untilBegun?(setting: Setting): Promise<void>;
  /** Milliseconds until the kill, then, at most. */
  readonly maxDelayMs: number;
  /** Adds what a round pulls before the kill. */
  prepare(setting: Setting, round: number): void;
  /** Goes on while the server is killed; what fails then is nobody's failure. */
  run(setting: Setting, mica: MicaUnderTest, round: number): Promise<unknown>;
  /** Whether the kill came while something was half done, where that can be seen. */
  wasKilledWithin?(setting: Setting): Promise<boolean>;
  /** Whether all images were stored before a round: then they are served without the upstream. */
  isStored?(round: number): boolean;
  /** Whether what the server has on the disk is what it would have had without a crash. */
  readonly isComparable: boolean;
}

export interface Ending {
  readonly config: ConfigParts;
  /** Whether the server has done what the configuration asks for with so many layers. */
  isSettled(counts: LayerStats['layers'], layers: number): boolean;
}

const ONLY_RECIPES = { dedup: { mode: 'b', replicas: 0, minLayer: 0 } };
const ALL_WHOLE = { dedup: { mode: 'b', replicas: 1, minLayer: 0 } };
const SOME_WHOLE = { dedup: { mode: 's', rawBudget: '2MiB', minLayer: 0 } };
const NO_RECIPES = { dedup: { mode: 'off' } };

const isIngested: Ending['isSettled'] = ({ total, pending }, layers) =>
  total >= layers && pending === 0;

const AS_RECIPES: Ending = { config: ONLY_RECIPES, isSettled: isIngested };

/** No layer is known to be one any more. */
const AS_BLOBS: Ending = { config: NO_RECIPES, isSettled: ({ total }) => total === 0 };

/** Modes with whole copies of few layers, and with those of all: recipes stay or go. */
const FEW_WHOLE: readonly ConfigParts[] = [ONLY_RECIPES, SOME_WHOLE];
const ALL_KEPT: readonly ConfigParts[] = [ALL_WHOLE, NO_RECIPES];

/** Images of the conversions: half of them of two small layers, half of a large one. */
const CONVERTED_IMAGES = MAX_IMAGES;

/** How long a server may take until the first layer is converted, ms: it has others to serve first. */
const MAX_IDLE_MS = 5000;

/** How often it is looked whether that has begun, ms. */
const CONVERTING_POLL_MS = 5;

function addImage(
  { upstream, images, everything }: Setting,
  tag: string,
  layers: readonly Uint8Array[],
): void {
  const image = upstream.putImage({ repository: REPOSITORY, tag, seed: tag, layers });
  images.push(image);
  everything.push(image);
  if (images.length > MAX_IMAGES) images.shift();
}

/** Two layers that share most files with those of other rounds. */
function addSharing(setting: Setting, tag: string): void {
  const { random } = setting;
  const layers = [1, 2].map((number) => {
    const files = [
      ...makeFiles(random.integer(1, 20), random.integer(0, 50)),
      ...makeFiles(3, random.integer(1000, 100_000)),
    ];
    return number === 1 ? makeTar(files) : makeLayer(files);
  });
  addImage(setting, tag, layers);
}

/** One layer of 1.5 MB that shares little: enough for a pack to be compacted when another goes. */
function addLarge(setting: Setting, tag: string, seed: number): void {
  const own = makeText(1_400_000, 50_000 + seed);
  addImage(setting, tag, [makeTar([...makeFiles(5, seed % 7), own])]);
}

/** Pulls as clients do: what a manifest names comes after it. */
export async function pullImages(
  { url }: Pick<MicaUnderTest, 'url'>,
  images: readonly Image[],
): Promise<string[]> {
  const base = `${url}/v2/${REPOSITORY}`;
  const outcomes = images.map(async ({ manifest, layers }) => [
    await pull(`${base}/manifests/${manifest.digest}`, manifest.digest),
    ...(await Promise.all(layers.map(({ digest }) => pull(`${base}/blobs/${digest}`, digest)))),
  ]);
  return (await Promise.all(outcomes)).flat();
}

async function pullAgainAndAgain({ images }: Setting, mica: MicaUnderTest): Promise<void> {
  for (let round = 0; round < 50; round += 1) {
    const outcomes = await pullImages(mica, images);
    if (outcomes.includes('wrong')) throw new Error('a wrong byte was served');
    if (outcomes.every((outcome) => outcome === 'none')) return;
  }
}

/** Purges an image, and kills `mica gc` while it compacts what is left. */
async function purgeAndCompact(setting: Setting): Promise<void> {
  const oldest = setting.images.shift();
  if (oldest === undefined) return;
  await runMica(setting, 'purge', `docker.io/${REPOSITORY}@${oldest.manifest.digest}`);
  const collecting = await startMicaCommand(setting, 'gc');
  await delay(setting.random.next() * 900);
  collecting.kill('SIGKILL');
  await collecting.exited;
}

/** Removes an image while all are pulled, and may be killed too. */
async function evictOldest(setting: Setting): Promise<void> {
  if (setting.images.length < 3) return;
  const [oldest] = setting.images.splice(0, 1);
  const name = `docker.io/${REPOSITORY}@${oldest?.manifest.digest ?? ''}`;
  const removing = await startMicaCommand(setting, 'purge', name);
  await delay(setting.random.next() * 1200);
  removing.kill('SIGKILL');
  await removing.exited;
}

/** The layers that have a file in a folder of the store. */
async function layersIn({ data, images }: Setting, folder: string): Promise<readonly string[]> {
  const names = await readdir(join(data, folder), { recursive: true });
  const files = new Set(names.map((name) => basename(name)));
  const digests = images.flatMap(({ layers }) => layers.map(({ digest }) => digest));
  return digests.filter((digest) => files.has(digest.slice('sha256:'.length)));
}

/** Until a layer's file comes or goes, or there is nothing to convert. */
async function untilConverting(setting: Setting): Promise<void> {
  const list = async () =>
    JSON.stringify([await layersIn(setting, 'blobs'), await layersIn(setting, 'recipes')]);
  const before = await list();
  const deadline = Date.now() + MAX_IDLE_MS;
  while ((await list()) === before && Date.now() < deadline) await delay(CONVERTING_POLL_MS);
}

/** Whether some layers are kept as the mode says, and some still as another one says. */
async function isHalfConverted(setting: Setting): Promise<boolean> {
  const layers = setting.images.flatMap((image) => image.layers).length;
  const isSome = ({ length }: readonly string[]) => length > 0 && length < layers;
  if (isSome(await layersIn(setting, 'recipes'))) return true;
  return setting.configs.at(-1) !== SOME_WHOLE && isSome(await layersIn(setting, 'blobs'));
}

/** Everything that changes files and index by itself while the server runs. */
export const WORKLOADS: readonly Workload[] = [
  {
    name: 'ingest',
    config: () => ONLY_RECIPES,
    endings: [AS_RECIPES],
    maxDelayMs: 400,
    isComparable: true,
    prepare: (setting, round) => addSharing(setting, `v${round}`),
    run: (setting, mica) => pullImages(mica, setting.images),
  },
  {
    name: 'restore',
    config: () => ONLY_RECIPES,
    endings: [AS_RECIPES],
    maxDelayMs: 150,
    isComparable: true,
    prepare: (setting, round) => {
      if (round < 3) addLarge(setting, `v${round}`, round);
    },
    run: pullAgainAndAgain,
  },
  {
    // Whole copies go and come within a budget of one or two layers.
    name: 'promotion and demotion',
    config: () => SOME_WHOLE,
    endings: [{ config: SOME_WHOLE, isSettled: isIngested }],
    maxDelayMs: 300,
    isComparable: false,
    prepare: (setting, round) => {
      if (round % 4 === 0) addLarge(setting, `v${round}`, round);
    },
    run: pullAgainAndAgain,
  },
  {
    name: 'compaction',
    config: () => ONLY_RECIPES,
    endings: [AS_RECIPES],
    maxDelayMs: 400,
    isComparable: false,
    prepare: (setting, round) => addLarge(setting, `v${round}`, round),
    run: (setting, _mica, round) =>
      round % 3 === 2 ? purgeAndCompact(setting) : Promise.resolve(),
  },
  {
    // What a quota removes, `purge` removes too: by the same steps, but however young an image is.
    name: 'eviction',
    config: () => ONLY_RECIPES,
    endings: [AS_RECIPES],
    maxDelayMs: 900,
    isComparable: false,
    prepare: (setting, round) => addSharing(setting, `v${round}`),
    run: (setting, mica) => Promise.all([pullImages(mica, setting.images), evictOldest(setting)]),
  },
  {
    // Each start has another mode than the one before; what it converts, the one after finds half done.
    name: 'mode conversion',
    config: ({ random, configs }) => {
      const last = configs.at(-1) ?? NO_RECIPES;
      // Between those with few there is next to nothing to do.
      const others = FEW_WHOLE.includes(last) ? ALL_KEPT : [...FEW_WHOLE, ...ALL_KEPT];
      const modes = others.filter((mode) => mode !== last);
      const config = modes[random.integer(0, modes.length)] ?? ONLY_RECIPES;
      configs.push(config);
      return config;
    },
    endings: [
      AS_BLOBS,
      {
        config: ONLY_RECIPES,
        isSettled: (counts, layers) => isIngested(counts, layers) && counts.whole === 0,
      },
    ],
    untilBegun: untilConverting,
    maxDelayMs: 450,
    isComparable: true,
    prepare: (setting, round) => {
      if (round >= CONVERTED_IMAGES) return;
      if (round % 2 === 0) addSharing(setting, `v${round}`);
      else addLarge(setting, `v${round}`, round);
    },
    isStored: (round) => round > CONVERTED_IMAGES,
    run: () => Promise.resolve(),
    wasKilledWithin: isHalfConverted,
  },
];
