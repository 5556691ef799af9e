// The OCI distribution specification's own test program, in read-only mode, against the proxy.
// Source: https://github.com/opencontainers/distribution-spec/tree/main/conformance

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { findProgram, getProgram, tryProgram } from '../peers/program.ts';
import { startMica } from '../server-under-test.ts';
import { type Registry, startRegistry } from '../upstream-double/registry.ts';

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
});

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
  return {
    tags: ['plain', 'docker', 'multi', 'sha512', 'empty-blob', 'no-layers'],
    manifests: [multi.index.digest, ...images.map((image) => image.manifest.digest)],
    blobs: images.flatMap((image) => [image.config, ...image.layers].map((blob) => blob.digest)),
    referrers: [subject.digest, docker.manifest.digest],
  };
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
