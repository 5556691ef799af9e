// Many clients at once on an image that nothing has cached: the upstream sees one.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEBIAN, getImage, IMAGES_STORAGE } from '../peers/images.ts';
import { getProgram, runProgram } from '../peers/program.ts';
import { startRegistry } from '../peers/registry.ts';
import { startMica } from '../server-under-test.ts';
import { compareFiles, getBlobs, testWith } from './client.ts';

const CLIENTS = 20;

const compareText = (one: string, other: string): number => one.localeCompare(other);

testWith('crane')('20 clients at once on a cold image cost one GET per blob', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'mica-herd-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const upstream = await startRegistry(IMAGES_STORAGE);
  t.teardown(() => upstream.stop());
  const image = await getImage(DEBIAN);
  const mica = await startMica({ upstreams: { 'docker.io': { url: upstream.url } } });
  t.teardown(() => mica.stop());
  const { host } = new URL(mica.url);

  const targets = Array.from({ length: CLIENTS }, (_, number) => join(folder, String(number)));
  const pulls = targets.map((target, number) => {
    // Both forms of a name are the same image.
    const prefix = number % 2 === 0 ? `${host}/docker.io` : host;
    const name = `${prefix}/${image.repository}:${image.tag}`;
    return runProgram([getProgram('crane'), 'pull', '--insecure', '--format=oci', name, target]);
  });
  await Promise.all(pulls);

  const expected = [image.config, ...image.layers].map(
    (digest) => `/v2/${image.repository}/blobs/${digest}`,
  );
  const asked = getBlobs(upstream);
  t.deepEqual([...asked].sort(compareText), expected.sort(compareText), 'one GET per blob');
  const manifests = upstream
    .accessLog()
    .filter((entry) => entry.method === 'GET' && entry.path.includes('/manifests/'));
  t.is(manifests.length, 1, 'one GET of the manifest');
  for (const target of targets) await compareFiles(t, join(target, 'blobs/sha256'), image);
});
