import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { hash } from 'bcryptjs';
import { Htpasswd, parseHtpasswd } from '../../src/access/htpasswd.ts';
import { nodeFiles } from '../../src/adapter/node/files.ts';
import { OciError } from '../../src/oci/error.ts';

/** Cheapest that bcrypt has. */
const ROUNDS = 4;

let nowMs = 0;
const runtime = {
  files: nodeFiles,
  clock: { now: () => nowMs, sleep: () => Promise.resolve() },
};

async function fileWith(t: ExecutionContext, text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'mica-htpasswd-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const path = join(folder, 'htpasswd');
  await writeFile(path, text);
  return path;
}

test('check() says yes to the right password only', async (t) => {
  const path = await fileWith(t, `# users\nada:${await hash('right', ROUNDS)}\n\n`);
  const htpasswd = await Htpasswd.open(path, runtime);
  for (let round = 0; round < 2; round += 1) {
    t.true(await htpasswd.check('ada', 'right'));
    t.false(await htpasswd.check('ada', 'wrong'));
    t.false(await htpasswd.check('ada', ''));
    t.false(await htpasswd.check('bob', 'right'));
  }
});

test('check() follows the file when it changes', async (t) => {
  const path = await fileWith(t, `ada:${await hash('old', ROUNDS)}`);
  const htpasswd = await Htpasswd.open(path, runtime);
  t.true(await htpasswd.check('ada', 'old'));
  await writeFile(path, `ada:${await hash('new', ROUNDS)}`);
  await utimes(path, 1, 1);
  nowMs += 10_000;
  t.true(await htpasswd.check('ada', 'new'));
  t.false(await htpasswd.check('ada', 'old'));
  await rm(path);
  nowMs += 10_000;
  t.true(await htpasswd.check('ada', 'new'));
  await writeFile(path, '');
});

test('check() refuses when too many passwords wait', async (t) => {
  const path = await fileWith(t, `ada:${await hash('right', ROUNDS)}`);
  const htpasswd = await Htpasswd.open(path, runtime);
  const asked = Array.from({ length: 100 }, (_, index) => htpasswd.check('ada', `wrong ${index}`));
  const results = await Promise.allSettled(asked);
  const refused = results.filter(({ status }) => status === 'rejected');
  t.true(refused.length > 0 && refused.length < 100);
  const [first] = refused;
  t.true(first?.status === 'rejected' && first.reason instanceof OciError);
  t.true(await htpasswd.check('ada', 'right'));
});

test('parseHtpasswd() refuses what is not a name and a bcrypt hash', (t) => {
  for (const text of ['ada', ':x', 'ada:{SHA}abc', 'ada:$apr1$x$y', 'ada:plain']) {
    t.throws(() => parseHtpasswd(text), { message: /^line 1 / });
  }
});
