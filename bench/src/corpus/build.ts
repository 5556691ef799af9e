// Builds a corpus folder: every image of the list that is not in its registry yet, two at a time.
import { existsSync, rmSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bench } from '../lib/bench.ts';
import { startProgress } from '../lib/progress.ts';
import { findProgram } from '../peers/find-program.ts';
import { startBuildah } from './buildah.ts';
import { makeContext } from './context.ts';
import { type CorpusImage, corpusFile, registryFolder, saveCorpus } from './corpus-file.ts';
import { pushByCrane } from './crane.ts';
import { startDockerd } from './dockerd.ts';
import { type Engine, repositoryOf } from './engine.ts';
import { type ImageRecipe, imageName, loadRecipes } from './recipes.ts';
import { type CorpusRegistry, keepOnly, readPushedImage, startCorpusRegistry } from './registry.ts';
import { unmountBelow } from './unmount.ts';

export interface BuildOptions {
  /** Of the corpus. */
  readonly folder: string;
  /** The images for CI only. */
  readonly isSmall: boolean;
}

/** Two: one compresses while another waits for packages; more would only share two cores. */
const parallelBuilds = 2;

/** Networks fail now and then. */
const attempts = 2;

const programs = ['dockerd', 'docker', 'runc', 'buildah', 'crane', 'registry', 'mmdebstrap', 'npm'];

/** What a build needs and this machine lacks. */
export function findMissing(): readonly string[] {
  const missing = programs.filter((name) => findProgram(name) === undefined);
  return process.getuid?.() === 0 ? missing : ['root', ...missing];
}

/** Below the corpus: the key of each image that was pushed. */
const recordFolder = 'records';

interface Building {
  readonly bench: Bench;
  readonly folder: string;
  readonly work: string;
  readonly registry: CorpusRegistry;
  readonly engines: Readonly<Record<'dockerd' | 'buildah', Engine>>;
}

/** Fails when images could not be built; a later call goes on with those. */
export async function buildCorpus(bench: Bench, options: BuildOptions): Promise<void> {
  const missing = findMissing();
  if (missing.length > 0) {
    throw new Error(`building the corpus needs ${missing.join(', ')} (bench/README.md)`);
  }
  const { folder, isSmall } = options;
  const recipes = (await loadRecipes()).filter((image) => image.isSmall || !isSmall);
  await refuseToShrink(folder, isSmall, recipes);
  const work = join(folder, 'work');
  for (const name of [recordFolder, 'work/logs', 'work/contexts']) {
    await mkdir(join(folder, name), { recursive: true });
  }
  const { cleanup } = bench;
  const files = join(bench.folder, 'registry');
  const data = registryFolder(folder);
  const registry = await startCorpusRegistry({ data, folder: files, cleanup });
  const engine = (name: string) => ({
    data: join(work, name),
    folder: join(bench.folder, name),
    host: registry.host,
    cleanup,
  });
  await mkdir(join(bench.folder, 'dockerd'));
  const dockerd = await startDockerd(engine('dockerd'));
  const buildah = await startBuildah(engine('buildah'));
  const building = { bench, folder, work, registry, engines: { dockerd, buildah } };
  // Whatever was there is not this corpus from now on.
  await rm(corpusFile(folder), { force: true });
  let images: readonly CorpusImage[];
  try {
    images = await buildAll(building, recipes);
  } finally {
    await dockerd.stop();
    await buildah.stop();
    await registry.stop();
  }
  await keepOnly(images, { data, folder: files, cleanup });
  await saveCorpus(folder, images);
  unmountBelow(work);
  rmSync(work, { recursive: true, force: true });
}

/** The small corpus is made in seconds, the one that it would take the place of in most of an hour. */
async function refuseToShrink(
  folder: string,
  isSmall: boolean,
  recipes: readonly ImageRecipe[],
): Promise<void> {
  const records = join(folder, recordFolder);
  const known = new Set(recipes.map(recordName));
  const others = existsSync(records)
    ? (await readdir(records)).filter((name) => !known.has(name))
    : [];
  if (isSmall && others.length > 0) {
    throw new Error(`${folder} holds a larger corpus; make the small one in another folder`);
  }
}

async function buildAll(
  building: Building,
  recipes: readonly ImageRecipe[],
): Promise<readonly CorpusImage[]> {
  const progress = startProgress('image', recipes.length);
  const done = new Map<string, Promise<CorpusImage>>();
  const waiting = countUses(recipes);
  const queue = [...recipes];
  const problems: string[] = [];
  const make = async (image: ImageRecipe): Promise<CorpusImage> => {
    // It was begun before: it is above in the list.
    await (image.from === undefined ? undefined : done.get(imageName(image.from)));
    const started = performance.now();
    const made = await makeImage(building, image);
    const seconds = ((performance.now() - started) / 1000).toFixed(0);
    progress.step(`${imageName(image)}, ${image.tool}, ${seconds} s`);
    return made;
  };
  const worker = async (): Promise<void> => {
    for (let image = queue.shift(); image !== undefined; image = queue.shift()) {
      const making = make(image);
      done.set(imageName(image), making);
      try {
        await making;
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        problems.push(`${imageName(image)}: ${reason}`);
        building.bench.say(problems.at(-1) ?? '');
      }
      await dropUnused(building, image, waiting);
    }
  };
  await Promise.all(Array.from({ length: parallelBuilds }, worker));
  progress.end();
  if (problems.length > 0) {
    throw new Error(`${problems.length} images were not built; run it again to go on with them`);
  }
  return await Promise.all(done.values());
}

/** How many images are still to be made of each. */
function countUses(recipes: readonly ImageRecipe[]): Map<ImageRecipe, number> {
  const uses = new Map<ImageRecipe, number>();
  for (const image of recipes) {
    uses.set(image, (uses.get(image) ?? 0) + 1);
    if (image.from !== undefined) {
      uses.set(image.from, (uses.get(image.from) ?? 0) + 1);
    }
  }
  return uses;
}

/** The engines keep an image unpacked: all of them would take tens of GB. */
async function dropUnused(
  { bench, engines, work }: Building,
  made: ImageRecipe,
  waiting: Map<ImageRecipe, number>,
): Promise<void> {
  for (const image of made.from === undefined ? [made] : [made, made.from]) {
    const count = (waiting.get(image) ?? 0) - 1;
    waiting.set(image, count);
    if (count === 0) {
      const log = join(work, 'logs', 'drop.log');
      try {
        await engines.dockerd.drop(image, log);
        await engines.buildah.drop(image, log);
      } catch (error) {
        // It only takes room until the end.
        bench.say(`${imageName(image)} stays: ${String(error)}`);
      }
    }
  }
}

/** Gives the image as it is in the registry, made unless it is there already. */
async function makeImage(building: Building, image: ImageRecipe): Promise<CorpusImage> {
  const { folder, registry, work } = building;
  const name = recordName(image);
  const record = join(folder, recordFolder, name);
  const repository = repositoryOf(image.family);
  const read = () => readPushedImage(registry.url, repository, image.tag);
  const describe = (pushed: Awaited<ReturnType<typeof read>>): CorpusImage | undefined =>
    pushed === undefined
      ? undefined
      : { repository, tag: image.tag, family: image.family, tool: image.tool, ...pushed };
  const before = await readRecord(record);
  const kept = before === image.key ? describe(await read()) : undefined;
  if (kept !== undefined) {
    return kept;
  }
  for (let attempt = 1; ; attempt += 1) {
    try {
      await pushImage(building, image, join(work, 'logs', `${name}.log`));
      break;
    } catch (error) {
      if (attempt === attempts) {
        throw error;
      }
    }
  }
  const made = describe(await read());
  if (made === undefined) {
    throw new Error('pushed, but the registry does not have it');
  }
  await writeFile(record, image.key);
  return made;
}

function recordName({ family, tag }: ImageRecipe): string {
  return `${family}-${tag}`;
}

async function readRecord(file: string): Promise<string | undefined> {
  return existsSync(file) ? await readFile(file, 'utf8') : undefined;
}

async function pushImage(building: Building, image: ImageRecipe, log: string): Promise<void> {
  const { bench, engines, registry, work } = building;
  const { cleanup } = bench;
  if (image.kind !== 'built') {
    const { host } = registry;
    await pushByCrane(image, log, { dockerd: engines.dockerd, host, folder: work, cleanup });
    return;
  }
  const context = join(work, 'contexts', recordName(image));
  await rm(context, { recursive: true, force: true });
  await makeContext(image, { folder: context, log, cleanup });
  await engines[image.tool].build({ image, context, log });
  await rm(context, { recursive: true });
}
