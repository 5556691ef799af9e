import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { verify } from '../../src/commands/verify.ts';
import { digestHex } from '../../src/oci/digest.ts';
import { storeLayer } from '../store/store-images.ts';
import { makeCommandFolder } from './command-folder.ts';

test('verify() says that everything is whole', async (t) => {
  const folder = await makeCommandFolder(t);
  await folder.use(({ store }) => storeLayer(store, 'layer', 5000));
  const context = folder.context();
  t.is(await verify(context, {}), 0);
  t.is(
    context.terminal.stdout,
    'checked 1 blobs (4.88 KiB) and 0 manifests\neverything is whole\n',
  );
});

test('verify() fails when it finds damage, and not any more once it was repaired', async (t) => {
  const folder = await makeCommandFolder(t);
  const { digest } = await folder.use(({ store }) => storeLayer(store, 'layer', 5000));
  const hex = digestHex(digest);
  await writeFile(join(folder.path, 'blobs/sha256', hex.slice(0, 2), hex), 'not the layer');
  const found = folder.context();
  t.is(await verify(found, {}), 1);
  t.true(found.terminal.stdout.includes(digest));
  const repaired = folder.context();
  t.is(await verify(repaired, { repair: true, json: true }), 0);
  t.like(repaired.terminal.json(), {
    damage: [{ kind: 'damaged', subject: digest, isRepaired: true }],
  });
  t.is(await verify(folder.context(), {}), 0);
});

test('verify() tells that there is no data folder, and makes none', async (t) => {
  const folder = await makeCommandFolder(t, { MICA_DATA: '/nonexistent/mica' });
  const context = folder.context();
  t.is(await verify(context, {}), 1);
  t.regex(context.terminal.stderr, /no data folder \/nonexistent\/mica/);
});

test('verify() gives 2 and all problems when the configuration is wrong', async (t) => {
  const folder = await makeCommandFolder(t, { MICA_QUOTA: 'much', MICA_LISTEN: 'nowhere' });
  const context = folder.context();
  t.is(await verify(context, {}), 2);
  t.regex(context.terminal.stderr, /MICA_QUOTA/);
  t.regex(context.terminal.stderr, /MICA_LISTEN/);
});
