// What checkPack() finds in packs that are whole, damaged or cut.

import { deepStrictEqual, equal, ok, rejects } from 'node:assert/strict';
import { appendFile, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { makeBytes } from './bytes.ts';
import { type Check, inFolder, rejectsCoreError } from './check.ts';
import { keepLayer, splitIds } from './kept-layer.ts';
import { countOpen } from './open-files.ts';
import { SAMPLE_TAR } from './sample-layers.ts';
import { makeTar } from './tar.ts';

/** Bytes of a pack's header (core-rs/doc/pack-format.md). */
const HEADER_SIZE = 16;

export const checkPackChecks: readonly Check[] = [
  inFolder('checkPack() of a whole pack gives the ids of all its files', async (core, folder) => {
    const { pack, recipe, packed } = await keepLayer(core, folder, gzipSync(SAMPLE_TAR));
    const large = makeTar([{ name: 'large', content: makeBytes(4_000_000) }]);
    const second = await keepLayer(core, folder, large, { name: 'second' });
    const all = [
      ...splitIds(await core.fileIds(recipe)),
      ...splitIds(await core.fileIds(second.recipe)),
    ];
    const heard: number[] = [];
    const checked = await core.checkPack(pack, { onProgress: (done) => heard.push(done) });
    deepStrictEqual(new Set(splitIds(checked.ids)), new Set(all));
    equal(splitIds(checked.ids).length, new Set(all).size, 'each once');
    equal(checked.damagedBlocks, 0);
    equal(checked.damage, undefined);
    ok(checked.blocks >= 3, 'a file of 4 MB takes two');
    ok(heard.length > 0);
    // What lies behind its valid bytes is of no use, and no damage.
    await appendFile(pack, makeBytes(100));
    deepStrictEqual(await core.checkPack(pack, { size: second.packed.end }), checked);
    equal((await core.checkPack(pack)).damage?.offset, second.packed.end);
    const first = await core.checkPack(pack, { size: packed.end });
    equal(splitIds(first.ids).length, packed.files.length);
    equal(await countOpen(folder), 0);
  }),

  inFolder('checkPack() tells of damage and of the files that are left', async (core, folder) => {
    const { pack, packed } = await keepLayer(core, folder, gzipSync(SAMPLE_TAR));
    const large = makeTar([{ name: 'large', content: makeBytes(4_000_000) }]);
    await keepLayer(core, folder, large, { name: 'second' });
    const bytes = await readFile(pack);
    const flip = async (at: number): Promise<void> => {
      const damaged = Buffer.from(bytes);
      damaged[at] = (damaged[at] ?? 0) ^ 1;
      await writeFile(pack, damaged);
    };
    await flip(bytes.length - 1);
    const last = await core.checkPack(pack);
    equal(last.damagedBlocks, 1);
    equal(last.damage?.code, 'PACK_BODY_CHECKSUM');
    equal(splitIds(last.ids).length, packed.files.length, 'the large file is not whole');
    await flip(HEADER_SIZE);
    const first = await core.checkPack(pack);
    deepStrictEqual(first.damage, { code: 'PACK_BLOCK_MAGIC', offset: HEADER_SIZE });
    equal(first.ids.length, 0, 'no block is looked for behind it');
    await flip(0);
    deepStrictEqual((await core.checkPack(pack)).damage, { code: 'PACK_MAGIC', offset: 0 });
    await writeFile(pack, bytes);
    await truncate(pack, packed.end);
    const cut = await core.checkPack(pack, { size: bytes.length });
    deepStrictEqual(cut.damage, { code: 'PACK_TRUNCATED', offset: packed.end });
    equal(splitIds(cut.ids).length, packed.files.length);
  }),

  inFolder('checkPack() rejects without a file, and when it is aborted', async (core, folder) => {
    const absent = join(folder, 'absent');
    await rejectsCoreError(core.checkPack(absent), { code: 'ENOENT', hasCause: true });
    const { pack } = await keepLayer(core, folder, SAMPLE_TAR);
    const reason = new Error('enough');
    const signal = AbortSignal.abort(reason);
    await rejects(core.checkPack(pack, { signal }), (error) => error === reason);
    equal((await core.checkPack(pack, { size: 0 })).ids.length, 0);
    equal(await countOpen(folder), 0);
  }),
];
