import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import { create, Header } from 'tar';
import { readLayerFiles } from '../../src/corpus/layer-files.ts';

async function makeLayer(t: ExecutionContext, files: Readonly<Record<string, string>>) {
  const folder = await mkdtemp(join(tmpdir(), 'mica-layer-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const tree = join(folder, 'tree');
  await mkdir(tree);
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(tree, name), text);
  }
  const file = join(folder, 'layer.tar.gz');
  await create({ cwd: tree, file, gzip: true }, ['.']);
  return file;
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64');

test('readLayerFiles() gives each file with its digest, those without content too', async (t) => {
  const long = `${'n'.repeat(200)}.txt`;
  const text = 'mica'.repeat(100_000);
  const file = await makeLayer(t, { [long]: text, same: text, empty: '' });
  const { tarSize, files } = await readLayerFiles(file);
  t.is(tarSize, gunzipSync(await readFile(file)).length);
  const wanted = [text, text, ''].map((one) => ({ id: sha256(one), size: one.length }));
  t.deepEqual(
    files.toSorted((one, other) => one.size - other.size),
    wanted.toSorted((one, other) => one.size - other.size),
  );
});

test('readLayerFiles() reads on after a whiteout of dockerd, which is a file with a link', async (t) => {
  const file = await makeLayer(t, { one: 'text' });
  const whiteout = Buffer.alloc(512);
  new Header({ path: '.wh.lock', linkpath: 'lock', type: 'File', size: 0, mode: 0 }).encode(
    whiteout,
    0,
  );
  await writeFile(file, gzipSync(Buffer.concat([whiteout, gunzipSync(await readFile(file))])));
  t.deepEqual((await readLayerFiles(file)).files, [{ id: sha256('text'), size: 4 }]);
});

test('readLayerFiles() refuses a layer that is cut off', async (t) => {
  const file = await makeLayer(t, { one: 'text'.repeat(1000) });
  const tar = gunzipSync(await readFile(file));
  await writeFile(file, gzipSync(tar.subarray(0, 1536)));
  await t.throwsAsync(readLayerFiles(file), { message: /TAR_BAD_ARCHIVE/ });
  await truncate(file, 20);
  await t.throwsAsync(readLayerFiles(file), { code: 'Z_BUF_ERROR' });
});
