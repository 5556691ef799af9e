// Layers that are made at the same time share the threads: small ones come before large ones.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import test from 'ava';
import type { Restoration } from '../../src/core.ts';
import { loadNative } from '../../src/load-native.ts';
import { makeBytes } from '../contract/bytes.ts';
import { keepLayer, openKept } from '../contract/kept-layer.ts';
import { makeTar } from '../contract/tar.ts';

/** Layers that are read beside the small one. */
const LARGE_LAYERS = 6;

/** A layer of one file. */
function makeLayer(size: number): Uint8Array {
  return gzipSync(makeTar([{ name: 'file', content: makeBytes(size) }]));
}

async function readAll(restoration: Restoration, onPiece: () => void): Promise<void> {
  for await (const piece of restoration.read()) {
    if (piece.length > 0) onPiece();
  }
}

test('a small layer does not wait for large ones that were asked for before', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'mica-due-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const core = loadNative({ workers: 1 });
  const large = await keepLayer(core, folder, makeLayer(12_000_000), { name: 'large' });
  const small = await keepLayer(core, folder, makeLayer(20_000), { name: 'small' });
  const restorations = await Promise.all(
    Array.from({ length: LARGE_LAYERS }, () => openKept(core, large)),
  );
  const last = await openKept(core, small);
  let pieces = 0;
  const reads = restorations.map((restoration) => readAll(restoration, () => (pieces += 1)));
  await readAll(last, () => undefined);
  // The one that was being made, and one that may have followed; not one of each.
  t.true(pieces <= 2, `${pieces} pieces of large layers came before`);
  await Promise.all(reads);
  t.true(pieces >= LARGE_LAYERS * 10);
  await Promise.all([...restorations, last].map((restoration) => restoration.close()));
});
