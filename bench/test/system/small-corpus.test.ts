// The small corpus, built by the real tools with the machine's package registries.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { buildCorpus, findMissing } from '../../src/corpus/build.ts';
import { blobFile, type CorpusImage, loadCorpus } from '../../src/corpus/corpus-file.ts';
import { readLayers } from '../../src/corpus/read-layers.ts';
import { measureShape } from '../../src/corpus/shape.ts';
import { makeFolder } from '../../src/lib/bench.ts';
import { createCleanup } from '../../src/lib/cleanup.ts';

const missing = findMissing();
const withTools = missing.length === 0 ? test.serial : test.serial.skip;

async function build(folder: string): Promise<readonly CorpusImage[]> {
  const cleanup = createCleanup();
  try {
    const bench = { folder: makeFolder(cleanup), cleanup, isQuick: false, say: console.error };
    await buildCorpus(bench, { folder, isSmall: true });
  } finally {
    cleanup.run();
  }
  return await loadCorpus(folder);
}

const digestOf = async (file: string): Promise<string> =>
  `sha256:${createHash('sha256')
    .update(await readFile(file))
    .digest('hex')}`;

withTools(`the small corpus is built, and not built again (${missing.join(', ')})`, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'mica-corpus-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const images = await build(folder);
  t.deepEqual(new Set(images.map(({ tool }) => tool)), new Set(['dockerd', 'buildah', 'crane']));
  const digests = images.flatMap((image) => [
    image.manifest,
    ...image.layers.map(({ digest }) => digest),
  ]);
  for (const digest of digests) {
    t.is(await digestOf(blobFile(folder, digest)), digest);
  }
  t.false(existsSync(join(folder, 'work')));

  const shape = measureShape(images, await readLayers(folder, images));
  // Squashed by one and compressed anew by another: most files are there twice and more.
  t.true(shape.uniqueFiles < shape.files / 2, `${shape.uniqueFiles} of ${shape.files}`);

  const blobs = await readdir(join(folder, 'registry'), { recursive: true });
  t.deepEqual(await build(folder), images);
  t.deepEqual(await readdir(join(folder, 'registry'), { recursive: true }), blobs);
});
