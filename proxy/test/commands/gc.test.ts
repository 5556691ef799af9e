import test from 'ava';
import { gc } from '../../src/commands/gc.ts';
import { GRACE_MS } from '../../src/store/evict.ts';
import { storeLayer, storeManifest } from '../store/store-images.ts';
import { makeCommandFolder } from './command-folder.ts';

test('gc() removes what nothing refers to', async (t) => {
  const folder = await makeCommandFolder(t);
  const [kept, lost] = await folder.use(async (parts) => {
    const layer = await storeLayer(parts.store, 'kept', 5000);
    await storeManifest(parts, { blobs: [layer], tag: '12' });
    return [layer, await storeLayer(parts.store, 'lost', 7000)];
  });
  await folder.clock.advance(GRACE_MS + 60_000);
  const context = folder.context();
  t.is(await gc(context, { json: true }), 0);
  t.deepEqual(context.terminal.json(), {
    blobs: 1,
    partials: 0,
    bytes: 7000,
    grants: 0,
    recipes: 0,
    packs: 0,
  });
  t.is(await folder.use(({ store }) => store.stat(kept.digest)), 5000);
  t.is(await folder.use(({ store }) => store.stat(lost.digest)), undefined);
});

test('gc() says what it did', async (t) => {
  const folder = await makeCommandFolder(t);
  const context = folder.context();
  t.is(await gc(context, {}), 0);
  t.is(context.terminal.stdout, 'removed 0 blobs and 0 partial blobs, 0 B\n');
});

test('commands print what an error in the log says, with its cause', async (t) => {
  const folder = await makeCommandFolder(t);
  const context = folder.context();
  const cause = new Error('no such library');
  const runtime = {
    ...context.runtime,
    loadCore: () => Promise.reject(new Error('cannot load it', { cause })),
  };
  t.is(await gc({ ...context, runtime }, {}), 0);
  t.regex(context.terminal.stderr, /the core does not load.*cannot load it: no such library/);
});
