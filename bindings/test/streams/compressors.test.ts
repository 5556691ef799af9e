import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import test from 'ava';
import { allCompressors, matrixCompressors, REPRESENTATIVE_COMPRESSORS } from './compressors.ts';

const folder = join(tmpdir(), `mica-compressors-${randomUUID()}`);
const source = join(folder, 'plain');

/** Text that repeats near and far, and bytes that do not repeat. */
const PLAIN = Buffer.concat([
  ...Array.from({ length: 3_000 }, (_, index) => Buffer.from(`line ${index % 700} of ${index}\n`)),
  ...Array.from({ length: 300 }, () => Buffer.from(randomUUID(), 'latin1')),
]);

test.before(async () => {
  await mkdir(folder);
  await writeFile(source, PLAIN);
});

test.after.always(async () => {
  await rm(folder, { recursive: true, force: true });
});

test('names are unique and fit for files', (t) => {
  const names = allCompressors().map(({ name }) => name);
  t.deepEqual([...new Set(names)], names);
  t.deepEqual(
    names.filter((name) => !/^[\w.-]+$/.test(name)),
    [],
  );
});

test('the representative compressors are in the catalogue', (t) => {
  const names = new Set(allCompressors().map(({ name }) => name));
  t.deepEqual(
    REPRESENTATIVE_COMPRESSORS.filter((name) => !names.has(name)),
    [],
  );
});

for (const label of ['two-members', 'empty-members', 'named', 'all-fields', 'trailing-zeros']) {
  test(`gzip's stream with ${label} holds the plain text`, async (t) => {
    const compressor = allCompressors().find(({ name }) => name === `gzip-9-${label}`);
    const target = join(folder, label);
    await compressor?.compress(source, target);
    t.deepEqual(gunzipSync(await readFile(target)), PLAIN);
  });
}

test('bytes after the last member are counted', async (t) => {
  const compressor = allCompressors().find(({ name }) => name === 'gzip-9-trailing-text');
  const target = join(folder, 'trailing-text');
  await compressor?.compress(source, target);
  const stream = await readFile(target);
  const end = stream.length - (compressor?.trailingLength ?? 0);
  t.true(end < stream.length);
  t.deepEqual(gunzipSync(stream.subarray(0, end)), PLAIN);
});

test('the matrix has no slow compressor', (t) => {
  t.deepEqual(
    matrixCompressors().filter(({ isSlow }) => isSlow),
    [],
  );
});
