import { createServer, type Server } from 'node:http';
import test from 'ava';
import { stats } from '../../src/commands/stats.ts';
import { storeLayer, storeManifest } from '../store/store-images.ts';
import { makeCommandFolder } from './command-folder.ts';

/** Answers with the JSON, and the other of images; gives its address. */
async function serveJson(
  value: unknown,
  images: unknown = {},
): Promise<{ server: Server; address: string }> {
  const server = createServer(({ url }, response) =>
    response.end(JSON.stringify(url === '/stats/images' ? images : value)),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const bound = server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
  return { server, address: `127.0.0.1:${port}` };
}

test('stats() prints what the running server says', async (t) => {
  const hottest = [{ name: 'docker.io/library/debian:12', pulls: 2.5, size: 2048 }];
  const { server, address } = await serveJson({ fills: { running: 2 } }, { hottest });
  t.teardown(() => server.close());
  const folder = await makeCommandFolder(t, { MICA_ADMIN: address });
  const text = folder.context();
  t.is(await stats(text, {}), 0);
  t.is(
    text.terminal.stdout,
    'Server\n  fills running  2\n\nHottest images\n' +
      '  docker.io/library/debian:12  2.5 recent pulls  2 KiB\n',
  );
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
  t.regex(text.terminal.stdout, /\nLayers\n {2}all +0\n/);
  const json = folder.context();
  await stats(json, { json: true });
  t.like(json.terminal.json(), { running: false, limit: 20 * 1024 ** 3, usage: { images: 1 } });
});
