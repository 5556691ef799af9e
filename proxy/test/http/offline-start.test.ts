// A start without any upstream: everything that was stored is served, tags included.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { startMica } from '../server-under-test.ts';
import { digestBytes } from '../upstream-double/content.ts';
import { startRegistry } from '../upstream-double/registry.ts';
import { get, head, json } from './client.ts';

test('after a restart with the upstream gone an image is pulled from the store', async (t) => {
  const data = await mkdtemp(join(tmpdir(), 'mica-offline-'));
  t.teardown(() => rm(data, { recursive: true, force: true }));
  const upstream = await startRegistry();
  const upstreams = { 'up.test': { url: upstream.url } };
  const image = upstream.putImage({
    repository: 'team/app',
    tag: 'v1',
    seed: 'app',
    layers: [100_000, 10],
  });
  const first = await startMica({ upstreams, data });
  const paths = [
    'manifests/v1',
    `manifests/${image.manifest.digest}`,
    ...[image.config, ...image.layers].map(({ digest }) => `blobs/${digest}`),
  ];
  for (const path of [...paths, 'tags/list'])
    t.is((await get(`${first.url}/v2/team/app/${path}`)).status, 200);
  await first.stop();
  await upstream.close();

  const config = { tags: { ttl: '1ms', staleIfError: '7d' } };
  const second = await startMica({ upstreams, data, config });
  t.teardown(() => second.stop());
  t.is((await get(`${second.url}/v2/`)).status, 200);
  for (const path of paths) {
    const answer = await get(`${second.url}/v2/team/app/${path}`);
    t.is(answer.status, 200, path);
    t.is(digestBytes(answer.body), String(answer.headers['docker-content-digest']), path);
    t.is((await head(`${second.url}/v2/team/app/${path}`)).status, 200, path);
  }
  const tag = await get(`${second.url}/v2/team/app/manifests/v1`);
  t.regex(String(tag.headers['warning']), /^299 - "/);
  const tags = await get(`${second.url}/v2/team/app/tags/list`);
  t.deepEqual(json(tags)['tags'], ['v1']);
});
