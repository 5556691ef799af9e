// Layers as real clients push them: each is fetched from a real registry, taken apart, made again and
// compared by programs that know nothing of the core.

import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { ExecutionContext } from 'ava';
import { loadCore } from 'mica-core/load-core';
import { nodeFiles } from 'mica-core/node-files';
import type { CheckedLayer } from '../../src/commands/check-layer.ts';
import { placePacked } from '../../src/dedup/located-layer.ts';
import { DEBIAN, getImage, IMAGES_STORAGE, type ImageContent, readImage } from '../peers/images.ts';
import { getProgram, PROJECT_FOLDER, runProgram } from '../peers/program.ts';
import { type Registry, startRegistry } from '../peers/registry.ts';
import { testWith } from './client.ts';
import {
  type Push,
  pushByBuildah,
  pushByCrane,
  pushByDockerd,
  pushByPodman,
  pushBySkopeo,
} from './pushers.ts';

const MICA = join(PROJECT_FOLDER, 'proxy', 'bin', 'mica.js');

/** What of a Debian root file system the layers are made of: programs and small files, 60 MB. */
const FOLDERS = ['./usr/bin', './usr/sbin', './usr/share', './etc', './var/lib/dpkg'];

const IMAGE = { repository: 'pushed/image', tag: 'latest' } as const;

async function checkPushed(t: ExecutionContext, push: Push): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'mica-layers-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const registry = await startRegistry(join(folder, 'storage'));
  t.teardown(() => registry.stop());
  const work = join(folder, 'client');
  await mkdir(work);
  await push({
    folder: work,
    ...(await makeTree(folder)),
    name: `${registry.host}/${IMAGE.repository}:${IMAGE.tag}`,
    host: registry.host,
  });
  const image = await readImage(registry, IMAGE);
  t.true(image.layers.length > 0);
  const files = await fetchLayers(registry, image, folder);
  await checkByCommand(t, image, files);
  for (const [index, file] of files.entries()) {
    const restored = await restore(file, join(folder, `restored-${index}`));
    const [hex = ''] = (await runProgram([getProgram('sha256sum'), restored])).split(' ');
    t.deepEqual(`sha256:${hex}`, image.layers[index]);
  }
}

/** Unpacks a part of the Debian image's lowest layer, and packs that part as a layer again. */
async function makeTree(folder: string): Promise<{ readonly tree: string; readonly tar: string }> {
  const [digest = ''] = (await getImage(DEBIAN)).layers;
  const hex = digest.slice(digest.indexOf(':') + 1);
  const blobs = join(IMAGES_STORAGE, 'docker/registry/v2/blobs/sha256');
  const tree = join(folder, 'tree');
  const tar = join(folder, 'tree.tar');
  await mkdir(tree);
  const blob = join(blobs, hex.slice(0, 2), hex, 'data');
  await runProgram([getProgram('tar'), '-xzf', blob, '-C', tree, ...FOLDERS]);
  await runProgram([getProgram('tar'), '--sort=name', '-cf', tar, '-C', tree, '.']);
  return { tree, tar };
}

async function fetchLayers(
  registry: Registry,
  image: ImageContent,
  folder: string,
): Promise<readonly string[]> {
  const files: string[] = [];
  for (const [index, digest] of image.layers.entries()) {
    const response = await fetch(`${registry.url}/v2/${image.repository}/blobs/${digest}`);
    if (!response.ok || response.body === null) throw new Error(`${digest}: ${response.status}`);
    const file = join(folder, `layer-${index}`);
    await pipeline(response.body, createWriteStream(file));
    files.push(file);
  }
  return files;
}

/** `mica layer check` says of all layers that they are exact, and what the manifest and config say. */
async function checkByCommand(
  t: ExecutionContext,
  image: ImageContent,
  files: readonly string[],
): Promise<void> {
  const command = [process.execPath, MICA, 'layer', 'check', '--json', ...files];
  const { layers }: { layers: readonly CheckedLayer[] } = JSON.parse(await runProgram(command));
  t.deepEqual(
    layers.map(({ exact, reason, digest, diffId }) => ({ exact, reason, digest, diffId })),
    image.layers.map((digest, index) => ({
      ...{ exact: true, reason: null, digest },
      diffId: image.diffIds[index] ?? '',
    })),
  );
  for (const { compressor, level, bytes, files: count } of layers) {
    const kept = `${bytes.recipe} bytes of recipe, of it ${bytes.headers} headers`;
    const missed = `${bytes.corrections} corrections, ${bytes.raw} raw`;
    t.log(
      `${compressor} at ${level}: ${bytes.compressed} bytes, ${count} files, ${kept}, ${missed}`,
    );
    t.not(compressor, null, 'a model knows the compressor');
    t.is(bytes.raw, 0, 'nothing is kept as it is');
  }
}

/** Takes a layer apart and writes what comes out again to `target`. */
async function restore(layer: string, target: string): Promise<string> {
  const { core } = await loadCore({ choice: 'native', files: nodeFiles });
  const recipe = `${target}-recipe`;
  const pack = `${target}-pack`;
  await core.ingest(layer, { recipe });
  const packed = await core.packFiles(layer, { recipe, pack });
  const places = placePacked(await core.fileIds(recipe), packed.files, packed.places);
  const restoration = await core.openRestoration({ recipe, packs: [pack], places });
  const file = await open(target, 'w');
  try {
    // Each piece is written before the next one is asked for: then it is not valid any more.
    for await (const piece of restoration.read()) await file.writeFile(piece);
  } finally {
    await file.close();
  }
  return target;
}

testWith('dockerd', 'docker')('layers of docker import, build and push are kept exactly', (t) =>
  checkPushed(t, pushByDockerd),
);

testWith('buildah')('layers of buildah bud, commit and push are kept exactly', (t) =>
  checkPushed(t, pushByBuildah),
);

testWith('podman')('layers of podman import and push are kept exactly', (t) =>
  checkPushed(t, pushByPodman),
);

testWith('skopeo')('layers that skopeo copy compresses are kept exactly', (t) =>
  checkPushed(t, pushBySkopeo),
);

testWith('crane')('layers of crane append are kept exactly', (t) => checkPushed(t, pushByCrane));
