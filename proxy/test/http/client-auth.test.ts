// Mica's own users: name and password from an htpasswd file, asked for on every path of the API.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { hash } from 'bcryptjs';
import { basic, errorCode, get, head } from './client.ts';
import { startMirror } from './mirror.ts';

/** bcrypt's smallest cost: the tests have many requests and no secrets. */
const COST = 4;

const folder = await mkdtemp(join(tmpdir(), 'mica-htpasswd-'));
const htpasswd = join(folder, 'htpasswd');
await writeFile(
  htpasswd,
  `# users\nann:${await hash('ann-secret', COST)}\n\nbob:${(await hash('b:ö', COST)).replace('$2b$', '$2y$')}\n`,
);
const mirror = await startMirror({ config: { auth: { htpasswd } } });
test.after.always(async () => {
  await mirror.stop();
  await rm(folder, { recursive: true });
});

const image = mirror.upstream.putImage({ repository: 'team/app', tag: 'v1', seed: 'auth' });
const PATHS = ['/v2/', '/v2/team/app/manifests/v1', `/v2/team/app/blobs/${image.config.digest}`];

test('users of the file are let in', async (t) => {
  for (const path of PATHS)
    for (const headers of [basic('ann', 'ann-secret'), basic('bob', 'b:ö')])
      t.is((await get(mirror.url(path), headers)).status, 200, path);
});

test('all others are asked for name and password with nothing contacted', async (t) => {
  for (const path of ['/v2/', '/v2/strange/app/manifests/v1', '/v2/strange/app/tags/list'])
    for (const headers of [
      {},
      basic('ann', 'wrong'),
      basic('ann', ''),
      basic('', ''),
      basic('nobody', 'ann-secret'),
      { authorization: 'Basic !!!' },
      { authorization: 'Bearer ann-secret' },
    ]) {
      const answer = await get(mirror.url(path), headers);
      t.is(answer.status, 401, path);
      t.is(errorCode(answer), 'UNAUTHORIZED');
      t.regex(String(answer.headers['www-authenticate']), /^Basic realm="[^"]*"/);
      t.is((await head(mirror.url(path), headers)).status, 401);
    }
  t.is(mirror.upstream.count('strange'), 0);
});

test('a client’s password for Mica is not sent to the upstream', async (t) => {
  mirror.upstream.putImage({ repository: 'team/quiet', tag: 'v1', seed: 'quiet' });
  await get(mirror.url('/v2/team/quiet/manifests/v1'), basic('ann', 'ann-secret'));
  t.true(mirror.upstream.count('/team/quiet/') > 0);
  for (const { headers } of mirror.upstream.requests) t.is(headers.authorization, undefined);
});
