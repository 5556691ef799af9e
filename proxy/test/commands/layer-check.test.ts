import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import { layerCheck } from '../../src/commands/layer-check.ts';
import { MemoryTerminal } from '../doubles/memory-terminal.ts';
import { makeFolder, makeTestRuntime, removeFolder } from '../doubles/test-runtime.ts';

const BLOCK_SIZE = 512;

/** A ustar archive of files with these contents. */
function tar(contents: readonly Buffer[]): Buffer {
  const entries = contents.map((content, index) => {
    const header = Buffer.alloc(BLOCK_SIZE);
    header.write(`file-${index}`);
    header.write('0000644\0', 100);
    header.write(`${content.length.toString(8).padStart(11, '0')}\0`, 124);
    header.write(' '.repeat(8), 148);
    header.write('0', 156);
    header.write('ustar\x0000', 257);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    const padding = Buffer.alloc((BLOCK_SIZE - (content.length % BLOCK_SIZE)) % BLOCK_SIZE);
    return Buffer.concat([header, content, padding]);
  });
  return Buffer.concat([...entries, Buffer.alloc(2 * BLOCK_SIZE)]);
}

function sha256(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

async function makeContext(t: ExecutionContext, environment: Record<string, string> = {}) {
  const folder = await makeFolder();
  t.teardown(() => removeFolder(folder));
  const temporary = join(folder, 'temporary');
  await mkdir(temporary);
  const runtime = { ...makeTestRuntime({ environment }), temporaryDirectory: temporary };
  return { folder, temporary, runtime, terminal: new MemoryTerminal() };
}

const TEXT = Buffer.from('All work and no play makes Jack a dull boy.\n'.repeat(3000));
const TAR = tar([TEXT, Buffer.from('a small file'), TEXT, randomBytes(5000)]);

test('layerCheck() tells what is in a layer and that it comes out the same', async (t) => {
  const context = await makeContext(t);
  const file = join(context.folder, 'layer.tar.gz');
  const layer = gzipSync(TAR, { level: 6 });
  await writeFile(file, layer);
  t.is(await layerCheck(context, [file], { json: true }), 0);
  t.like(context.terminal.json(), {
    layers: [
      {
        file,
        digest: sha256(layer),
        diffId: sha256(TAR),
        exact: true,
        reason: null,
        bytes: { compressed: layer.length, tar: TAR.length, files: 2 * TEXT.length + 5012 },
        files: 4,
        duplicates: 1,
      },
    ],
  });
  t.deepEqual(await readdir(context.temporary), [], 'nothing is left behind');
});

test('layerCheck() takes a plain tar, and a file that is none, as they are', async (t) => {
  const context = await makeContext(t);
  const plain = join(context.folder, 'layer.tar');
  const other = join(context.folder, 'no-layer');
  await writeFile(plain, TAR);
  await writeFile(other, 'no tar at all');
  t.is(await layerCheck(context, [plain, other], { json: true }), 0);
  t.like(context.terminal.json(), {
    layers: [
      { digest: sha256(TAR), diffId: sha256(TAR), compressor: 'none', exact: true, files: 4 },
      { compressor: 'none', exact: true, files: 0 },
    ],
  });
});

test('layerCheck() fails and says why when a layer cannot be taken apart', async (t) => {
  const context = await makeContext(t);
  const good = join(context.folder, 'good.gz');
  const cut = join(context.folder, 'cut.gz');
  const layer = gzipSync(TAR);
  await writeFile(good, layer);
  await writeFile(cut, layer.subarray(0, 1000));
  const missing = join(context.folder, 'missing');
  t.is(await layerCheck(context, [good, cut, missing]), 1);
  const { stdout } = context.terminal;
  t.regex(stdout, /good\.gz +yes/);
  t.regex(stdout, /cut\.gz +no/);
  t.regex(stdout, /cut\.gz: deflate stream: input ends at bit/);
  t.regex(stdout, /missing: cannot open .*missing/);
  t.deepEqual(await readdir(context.temporary), []);
});

test('layerCheck() refuses a core that does not exist', async (t) => {
  const context = await makeContext(t, { CORE: 'fast' });
  t.is(await layerCheck(context, ['layer']), 2);
  t.is(context.terminal.stderr, 'CORE: expected auto, native or wasm, got "fast"\n');
});

/** zstd layers of the core's tests; seen from `dist/test/commands`. */
const GOLDEN = new URL('../../../../core-rs/tests/golden/', import.meta.url);

test('layerCheck() tells the level of libzstd, and why a layer of others stays whole', async (t) => {
  const context = await makeContext(t);
  const file = (name: string): string => fileURLToPath(new URL(`recipe-v1-${name}.layer`, GOLDEN));
  const files = [file('zstd-19'), file('zstd-klauspost')];
  t.is(await layerCheck(context, files, { json: true }), 1);
  t.like(context.terminal.json(), {
    layers: [
      { compressor: 'zstd', level: 19, exact: true, reason: null },
      {
        ...{ compressor: 'zstd', level: null, exact: false },
        reason: 'not made by libzstd 1.5.7 at any level we know',
        bytes: { tar: 60_000 },
      },
    ],
  });
});
