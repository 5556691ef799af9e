// The version check, health and metrics: there at once, whatever the upstream does.

import test from 'ava';
import { get, head, json } from './client.ts';
import { startMirror } from './mirror.ts';

const mirror = await startMirror({
  // Ports of 127.0.0.1 below 10 are nobody's: a connection is refused at once.
  upstreams: { 'dead.test': { url: 'http://127.0.0.1:9' } },
  config: { defaultUpstream: 'dead.test' },
});
test.after.always(() => mirror.stop());

test('GET and HEAD of /v2/ answer 200 with a dead upstream and no challenge', async (t) => {
  for (const ask of [get, head]) {
    const answer = await ask(mirror.url('/v2/'));
    t.is(answer.status, 200);
    t.is(answer.headers['docker-distribution-api-version'], 'registry/2.0');
    t.is(answer.headers['www-authenticate'], undefined);
  }
  t.deepEqual(json(await get(mirror.url('/v2/'))), {});
  t.is(mirror.upstream.requests.filter(({ path }) => path === '/v2/').length, 0);
});

test('a client’s credentials on /v2/ change nothing', async (t) => {
  const answer = await get(mirror.url('/v2/'), { authorization: 'Basic eDp5' });
  t.is(answer.status, 200);
});

test('a dead upstream is an error of the specification, soon', async (t) => {
  const answer = await get(mirror.url('/v2/some/image/manifests/v1'));
  t.true(answer.status >= 500, String(answer.status));
  t.true(Array.isArray(json(answer)['errors']));
});

test('the admin port tells health, readiness, metrics and statistics', async (t) => {
  const { admin } = mirror.mica;
  t.is((await get(`${admin}/healthz`)).status, 200);
  t.is((await get(`${admin}/readyz`)).status, 200);
  const metrics = await get(`${admin}/metrics`);
  t.is(metrics.status, 200);
  t.regex(String(metrics.headers['content-type']), /^text\/plain/);
  t.regex(metrics.body.toString(), /^mica_\w+/m);
  const stats = await get(`${admin}/stats`);
  t.is(stats.status, 200);
  t.regex(String(stats.headers['content-type']), /^application\/json/);
  t.is(typeof json(stats), 'object');
});

test('the admin pages are not on the public port, nor the API on the admin port', async (t) => {
  for (const path of ['/healthz', '/readyz', '/metrics', '/stats'])
    t.is((await get(mirror.url(path))).status, 404, path);
  t.is((await get(`${mirror.mica.admin}/v2/`)).status, 404);
});

test('every request has one line in the log', async (t) => {
  const paths = ['/v2/logged-1/x/manifests/..', '/v2/up.test/logged-2/x/manifests/v1', '/logged-3'];
  for (const path of paths) await get(mirror.url(path));
  const lines = (path: string) =>
    mirror.mica.log().filter((line) => JSON.stringify(line).includes(path)).length;
  await mirror.mica.waitForLog((line) => JSON.stringify(line).includes('/logged-3'));
  for (const name of ['logged-1', 'logged-2', 'logged-3']) t.is(lines(name), 1, name);
  const line = await mirror.mica.waitForLog((one) => JSON.stringify(one).includes('logged-2'));
  t.true(Object.values(line).includes(404));
  t.true(Object.values(line).includes('GET'));
});
