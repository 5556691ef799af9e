// Docker's engine pulls related images, forgets them, and pulls them again when nothing but recipes and
// files is left of their layers and the upstream is gone.

import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { duOf } from '../crash/leaks.ts';
import { makeText } from '../dedup/layers.ts';
import { type ImageContent, readImage } from '../peers/images.ts';
import { runMica } from '../peers/mica.ts';
import { findProgram, getProgram, isRoot, PROJECT_FOLDER, runProgram } from '../peers/program.ts';
import { type Registry, startRegistry } from '../peers/registry.ts';
import { startMica } from '../server-under-test.ts';
import { readLayers, untilIngested } from '../until-ingested.ts';
import { wholeBlobs } from '../whole-blobs.ts';
import { startDockerd } from './start-dockerd.ts';

const REPOSITORY = 'site/related';
const TAGS = ['v1', 'v2', 'v3'] as const;

/** Files of the base: programs' text, some megabytes. */
const TREES = ['node_modules/ava', 'node_modules/lmdb', 'node_modules/yaml', 'proxy/src'];

/** `stored` may differ from du by so much. */
const DU_RATIO = 0.01;

const needed = ['dockerd', 'docker', 'registry', 'crane', 'tar'];
const canRun = isRoot() && needed.every((name) => findProgram(name) !== undefined);
const check = canRun ? test : test.skip;

check(
  'dockerd pulls three related images again from recipes alone, with the upstream gone',
  async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'mica-related-'));
    t.teardown(() => rm(folder, { recursive: true, force: true }));
    const upstream = await startRegistry(join(folder, 'storage'));
    t.teardown(() => upstream.stop());
    const images = await pushImages(folder, upstream);
    const layers = new Set(images.flatMap((image) => image.layers));
    const data = join(folder, 'data');
    const upstreams = { 'docker.io': { url: upstream.url } };
    const config = { dedup: { mode: 'b', replicas: 0, minLayer: 0 }, tags: { ttl: '1s' } };
    const mica = await startMica({ upstreams, data, config });
    t.teardown(() => mica.stop());
    const mirror = { url: mica.url, host: new URL(mica.url).host };
    const docker = await startDockerd(join(folder, 'client'), mirror);
    t.teardown(() => docker.stop());

    for (const image of images) {
      await docker.pull(image);
      await docker.compare(t, image);
    }
    await untilIngested(mica, layers.size, 0);
    await checkStored(t, data, layers, mica);
    for (const image of images) await docker.remove(image);
    await upstream.stop();
    for (const image of images) {
      await docker.pull(image);
      await docker.compare(t, image);
    }
    await checkStored(t, data, layers, mica);
    const verified = await runMica({ folder, data, upstreams }, 'verify', '--json');
    t.deepEqual(JSON.parse(verified.output).damage, []);
  },
);

/** Nothing is there as it came, related layers take less than they would, and du says the same as stats. */
async function checkStored(
  t: ExecutionContext,
  data: string,
  layers: ReadonlySet<string>,
  mica: { readonly admin: string },
): Promise<void> {
  const { layers: counts, bytes, files } = await readLayers(mica);
  t.like(counts, {
    total: layers.size,
    recipeOnly: layers.size,
    whole: 0,
    pending: 0,
    notExact: 0,
  });
  const whole = await wholeBlobs(data);
  const wholeLayers = [...layers].filter((digest) => whole.has(digest));
  t.deepEqual(wholeLayers, []);
  const used = await duOf(data);
  const ratio = bytes.stored / bytes.compressed;
  t.log(
    `${bytes.compressed} bytes of layers take ${bytes.stored}: ${ratio.toFixed(2)}; du ${used}`,
  );
  t.true(Math.abs(bytes.stored - used) <= DU_RATIO * used, `${bytes.stored}, du says ${used}`);
  // The two bases have the same files, but for one.
  t.true(ratio < 0.75, `${ratio}`);
  t.true(files.duplicate > files.unique / 2);
}

/** Three images that differ by few files: two of the same base, one of a base that was built anew. */
async function pushImages(folder: string, registry: Registry): Promise<readonly ImageContent[]> {
  const tree = join(folder, 'tree');
  await mkdir(tree);
  for (const [number, path] of TREES.entries()) {
    const from = join(PROJECT_FOLDER, path);
    await cp(from, join(tree, `opt/${number}`), { recursive: true, dereference: true });
  }
  const base = await makeLayer(folder, 'base', tree, '.');
  for (const [number, tag] of TAGS.entries()) {
    await mkdir(join(tree, 'srv'), { recursive: true });
    // Large enough that a recipe of it is worth its room.
    await writeFile(join(tree, 'srv/program'), makeText(300_000, number));
    const upper = await makeLayer(folder, `upper-${tag}`, tree, './srv');
    const lower = tag === 'v3' ? await makeLayer(folder, 'rebuilt', tree, '.') : base;
    const name = `${registry.host}/${REPOSITORY}:${tag}`;
    const append = ['--insecure', 'append', '--oci-empty-base', '-f', lower, '-f', upper];
    await runProgram([getProgram('crane'), ...append, '-t', name]);
  }
  return await Promise.all(TAGS.map((tag) => readImage(registry, { repository: REPOSITORY, tag })));
}

async function makeLayer(
  folder: string,
  name: string,
  tree: string,
  path: string,
): Promise<string> {
  const tar = join(folder, `${name}.tar`);
  await runProgram([getProgram('tar'), '--sort=name', '-cf', tar, '-C', tree, path]);
  return tar;
}
