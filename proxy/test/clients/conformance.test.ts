// The OCI distribution specification's own test program, in read-only mode, against the proxy.
// Source: https://github.com/opencontainers/distribution-spec/tree/main/conformance

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { makeFiles, makeLayer, makeTar } from '../dedup/layers.ts';
import { findProgram, getProgram, tryProgram } from '../peers/program.ts';
import { type MicaUnderTest, startMica } from '../server-under-test.ts';
import { untilIngested } from '../until-ingested.ts';
import type { Image } from '../upstream-double/content.ts';
import { type Registry, startRegistry } from '../upstream-double/registry.ts';
import { wholeBlobs } from '../whole-blobs.ts';

interface Expected {
  readonly tags: readonly string[];
  readonly manifests: readonly string[];
  readonly blobs: readonly string[];
  readonly referrers: readonly string[];
}

const REPOSITORY = 'site/conformance';

const check = findProgram('conformance') === undefined ? test.skip : test;

check('the conformance program finds no failure when it reads through the proxy', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'mica-conformance-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const upstream = await startRegistry();
  t.teardown(() => upstream.close());
  const expected = putContent(upstream);
  const mica = await startMica({ upstreams: { 'docker.io': { url: upstream.url } } });
  t.teardown(() => mica.stop());

  await runConformance(t, mica, folder, expected);
});

check('nor when every layer is made again from its recipe', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'mica-conformance-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const upstream = await startRegistry();
  t.teardown(() => upstream.close());
  const images = putLayers(upstream);
  const layers = [...new Set(images.flatMap((image) => image.layers.map(({ digest }) => digest)))];
  const options = {
    upstreams: { 'docker.io': { url: upstream.url } },
    config: { dedup: { mode: 'b', replicas: 0, minLayer: 0 } },
    data: join(folder, 'data'),
  };
  const before = await startMica(options);
  await pullAll(before, images);
  const stats = await untilIngested(before, layers.length, 0);
  await before.stop();
  t.like(stats.layers, { total: layers.length, recipeOnly: layers.length, whole: 0 });
  const whole = await wholeBlobs(options.data);
  const wholeLayers = layers.filter((digest) => whole.has(digest));
  t.deepEqual(wholeLayers, [], 'no layer is there as it is');

  const fetched = upstream.count('/blobs/');
  // Another process: nothing is open or in its memory.
  const mica = await startMica(options);
  t.teardown(() => mica.stop());
  await runConformance(t, mica, folder, expectAll(images, ['gzip', 'docker', 'tar', 'sha512']));
  t.is(upstream.count('/blobs/'), fetched, 'no layer was fetched again');
  const { restores } = (await (await fetch(`${mica.admin}/stats`)).json()) as {
    restores: { count: number };
  };
  // Each layer by GET, by HEAD and by parts, of both names of the repository.
  t.true(restores.count >= 2 * layers.length, `${restores.count} restores`);
});

async function runConformance(
  t: ExecutionContext,
  mica: MicaUnderTest,
  folder: string,
  expected: Expected,
): Promise<void> {
  for (const repository of [REPOSITORY, `docker.io/${REPOSITORY}`]) {
    const { output, errors } = await tryProgram([getProgram('conformance')], {
      folder,
      environment: environment(new URL(mica.url).host, repository, expected, folder),
    });
    const counts = countResults(output);
    t.log(`${repository}: ${counts.passed} passed, ${counts.failed} failed`);
    t.is(counts.failed, 0, `${output}\n${errors}`);
    // One result for each thing that was asked for, at the least.
    t.true(counts.passed >= Object.values(expected).flat().length, `${output}\n${errors}`);
  }
}

/** Images of one and two platforms, sha256 and sha512, an empty blob, no layers, and referrers. */
function putContent(upstream: Registry): Expected {
  const at = { repository: REPOSITORY };
  const plain = upstream.putImage({ ...at, tag: 'plain', seed: 'plain', layers: [1000, 70_000] });
  const docker = upstream.putImage({ ...at, tag: 'docker', seed: 'docker', flavour: 'docker' });
  const multi = upstream.putMultiImage({ ...at, tag: 'multi', seed: 'multi' }, [
    'linux/amd64',
    'linux/arm64/v8',
  ]);
  const long = upstream.putImage({ ...at, tag: 'sha512', seed: 'long', algorithm: 'sha512' });
  const odd = upstream.putImage({ ...at, tag: 'empty-blob', seed: 'odd', layers: [0] });
  const bare = upstream.putImage({ ...at, tag: 'no-layers', seed: 'bare', layers: [] });
  const subject = plain.manifest;
  const signature = upstream.putImage({
    ...at,
    seed: 'signature',
    subject,
    artifactType: 'application/vnd.example.signature',
  });
  const images = [plain, docker, ...multi.images, long, odd, bare, signature];
  const tags = ['plain', 'docker', 'multi', 'sha512', 'empty-blob', 'no-layers'];
  const all = expectAll(images, tags);
  return {
    ...all,
    manifests: [multi.index.digest, ...all.manifests],
    referrers: [subject.digest, docker.manifest.digest],
  };
}

/** Images whose layers can be taken apart: tars, compressed or not, that share files. */
function putLayers(upstream: Registry): readonly Image[] {
  const at = { repository: REPOSITORY };
  const base = makeLayer(makeFiles(30, 1));
  const gzip = [base, makeLayer(makeFiles(12, 20), 9)];
  const tar = [makeTar(makeFiles(20, 10))];
  const docker = [makeLayer(makeFiles(9, 5), 1), base];
  const long = [makeLayer(makeFiles(15, 3))];
  return [
    upstream.putImage({ ...at, tag: 'gzip', seed: 'gzip', layers: gzip }),
    upstream.putImage({ ...at, tag: 'docker', seed: 'docker', layers: docker, flavour: 'docker' }),
    upstream.putImage({ ...at, tag: 'tar', seed: 'tar', layers: tar }),
    upstream.putImage({ ...at, tag: 'sha512', seed: 'sha512', layers: long, algorithm: 'sha512' }),
  ];
}

function expectAll(images: readonly Image[], tags: readonly string[]): Expected {
  return {
    tags,
    manifests: images.map((image) => image.manifest.digest),
    blobs: images.flatMap((image) => [image.config, ...image.layers].map((blob) => blob.digest)),
    referrers: [],
  };
}

/** Asks for manifests, configs and layers, so that they are stored. */
async function pullAll(mica: MicaUnderTest, images: readonly Image[]): Promise<void> {
  const get = async (path: string): Promise<void> => {
    const response = await fetch(`${mica.url}/v2/${REPOSITORY}/${path}`);
    if (!response.ok) throw new Error(`${path}: ${response.status}`);
    await response.arrayBuffer();
  };
  for (const { manifest, config, layers } of images) {
    await get(`manifests/${manifest.digest}`);
    for (const { digest } of [config, ...layers]) await get(`blobs/${digest}`);
  }
}

function environment(
  host: string,
  repository: string,
  expected: Expected,
  folder: string,
): Record<string, string> {
  return {
    OCI_REGISTRY: host,
    OCI_TLS: 'disabled',
    OCI_REPO1: repository,
    OCI_REPO2: repository,
    OCI_RESULTS_DIR: join(folder, 'results'),
    OCI_API_PUSH: 'false',
    OCI_API_BLOBS_DELETE: 'false',
    OCI_API_MANIFESTS_DELETE: 'false',
    OCI_API_TAGS_DELETE: 'false',
    // With several tags its list check compares one page with each of them in turn.
    OCI_API_TAGS_LIST: 'false',
    // Not for manifests: of those it did not push itself it never looks at the answer's headers.
    OCI_API_BLOBS_DIGEST_HEADER: 'true',
    OCI_RO_DATA_TAGS: expected.tags.join(' '),
    OCI_RO_DATA_MANIFESTS: expected.manifests.join(' '),
    OCI_RO_DATA_BLOBS: expected.blobs.join(' '),
    OCI_RO_DATA_REFERRERS: expected.referrers.join(' '),
  };
}

/** Counts the printed tree's results: the report files come after it and cannot be written in read-only mode. */
function countResults(output: string): { passed: number; failed: number } {
  const count = (pattern: RegExp): number => output.match(pattern)?.length ?? 0;
  return { passed: count(/: Pass$/gm), failed: count(/: FAIL$/gm) };
}
