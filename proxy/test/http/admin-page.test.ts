// The page's files as the real server gives them: some are compiled, some are read where they were written.

import test from 'ava';
import { get } from './client.ts';
import { startMirror } from './mirror.ts';

const mirror = await startMirror();
test.after.always(() => mirror.stop());

for (const [path, type, part] of [
  ['/', /^text\/html/, '<title>Mica</title>'],
  ['/page/page.css', /^text\/css/, 'color-scheme'],
  ['/page/icon.svg', /^image\/svg\+xml/, '<svg'],
  ['/page/page.js', /^text\/javascript/, "from './sections.js'"],
] as const) {
  test(`${path} is served under a policy that lets it load its own server's files only`, async (t) => {
    const answer = await get(`${mirror.mica.admin}${path}`);
    t.is(answer.status, 200);
    t.regex(String(answer.headers['content-type']), type);
    t.regex(
      String(answer.headers['content-security-policy']),
      /^default-src 'none'; script-src 'self';/,
    );
    t.true(answer.body.toString().includes(part));
  });
}

test('no other file of the folder is served', async (t) => {
  for (const path of ['/page/page.ts', '/page/..%2fadmin-app.js', '/page/nothing.js'])
    t.is((await get(`${mirror.mica.admin}${path}`)).status, 404, path);
});
