import { createServer, type Server } from 'node:http';
import test from 'ava';
import { stats } from '../../src/commands/stats.ts';
import { storeLayer, storeManifest } from '../store/store-images.ts';
import { makeCommandFolder } from './command-folder.ts';

/** Answers every request with the JSON; gives its address. */
async function serveJson(value: unknown): Promise<{ server: Server; address: string }> {
  const server = createServer((_, response) => response.end(JSON.stringify(value)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const bound = server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
  return { server, address: `127.0.0.1:${port}` };
}

test('stats() prints what the running server says', async (t) => {
  const { server, address } = await serveJson({ fills: { running: 2 } });
  t.teardown(() => server.close());
  const folder = await makeCommandFolder(t, { MICA_ADMIN: address });
  const text = folder.context();
  t.is(await stats(text, {}), 0);
  t.is(text.terminal.stdout, 'fills.running  2\n');
  const json = folder.context();
  await stats(json, { json: true });
  t.deepEqual(json.terminal.json(), { running: true, fills: { running: 2 } });
});

test('stats() says that no server runs, and what the data folder tells', async (t) => {
  const { server, address } = await serveJson({});
  await new Promise((resolve) => server.close(resolve));
  const folder = await makeCommandFolder(t, { MICA_ADMIN: address, MICA_QUOTA: '20GiB' });
  await folder.use(async (parts) => {
    const layer = await storeLayer(parts.store, 'layer', 5000);
    await storeManifest(parts, { blobs: [layer], tag: '12' });
  });
  const text = folder.context();
  t.is(await stats(text, {}), 0);
  t.regex(
    text.terminal.stderr,
    /no server answers \(http:\/\/127\.0\.0\.1:\d+\/stats: .*ECONNREFUSED/,
  );
  t.regex(text.terminal.stdout, /quota +20GiB/);
  const json = folder.context();
  await stats(json, { json: true });
  t.like(json.terminal.json(), { running: false, limit: 20 * 1024 ** 3, usage: { images: 1 } });
});
