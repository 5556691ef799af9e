// What is read of restorations: at the same time, in part, of the wrong files.

import { equal, ok } from 'node:assert/strict';
import { closeSync, openSync } from 'node:fs';
import { readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { type Core, isCoreError, PLACE_SIZE, type Restoration } from '../../src/core.ts';
import { makeBytes } from './bytes.ts';
import { type Check, inFolder, rejectsCoreError } from './check.ts';
import { type KeptLayer, keepLayer, openKept, readBytes, withRestoration } from './kept-layer.ts';
import { countOpen } from './open-files.ts';
import { makeText, SAMPLE_TAR } from './sample-layers.ts';
import { makeTar } from './tar.ts';

/** Parts enough that some are made ahead while others wait. */
const LONG_TAR = makeTar(
  Array.from({ length: 9 }, (_, index) => ({
    name: `file-${index}`,
    content: makeText(500_000, index + 1),
  })),
);

const LONG_LAYER = gzipSync(LONG_TAR, { level: 1 });

async function readFirst(restoration: Restoration): Promise<Uint8Array> {
  for await (const piece of restoration.read()) return piece;
  throw new Error('nothing was read');
}

const readChecks: readonly Check[] = [
  inFolder('read() can be left early', async (core, folder) => {
    const kept = await keepLayer(core, folder, LONG_LAYER);
    await withRestoration(openKept(core, kept), async (restoration) => {
      for (let round = 0; round < 10; round += 1) {
        const piece = await readFirst(restoration);
        ok(Buffer.from(piece).equals(LONG_LAYER.subarray(0, piece.length)));
      }
      ok((await readBytes(restoration)).equals(LONG_LAYER));
    });
    equal(await countOpen(folder), 0);
  }),

  inFolder('read() takes a piece back when the next one is asked for', async (core, folder) => {
    const kept = await keepLayer(core, folder, LONG_LAYER);
    await withRestoration(openKept(core, kept), async (restoration) => {
      let before: Uint8Array | undefined;
      let offset = 0;
      for await (const piece of restoration.read()) {
        equal(before?.length ?? 0, 0);
        ok(Buffer.from(piece).equals(LONG_LAYER.subarray(offset, offset + piece.length)));
        offset += piece.length;
        before = piece;
      }
      equal(offset, LONG_LAYER.length);
      ok(before !== undefined && before.length > 0, 'the last one stays');
    });
  }),

  inFolder('read() goes on when a piece was transferred', async (core, folder) => {
    const kept = await keepLayer(core, folder, LONG_LAYER);
    await withRestoration(openKept(core, kept), async (restoration) => {
      const pieces: Uint8Array[] = [];
      for await (const piece of restoration.read())
        pieces.push(structuredClone(piece, { transfer: [piece.buffer as ArrayBuffer] }));
      ok(Buffer.concat(pieces).equals(LONG_LAYER));
    });
  }),

  inFolder('read() may run many times at once', async (core, folder) => {
    const kept = await keepLayer(core, folder, LONG_LAYER);
    await withRestoration(openKept(core, kept), async (restoration) => {
      const ends = Array.from({ length: 8 }, (_, index) => LONG_LAYER.length - index * 99_999);
      const read = await Promise.all(ends.map((end) => readBytes(restoration, { end })));
      ok(read.every((bytes, index) => bytes.equals(LONG_LAYER.subarray(0, ends[index]))));
    });
  }),

  inFolder('read() listens to a signal once, and only while it reads', async (core, folder) => {
    const kept = await keepLayer(core, folder, LONG_LAYER);
    const { signal } = new AbortController();
    let listeners = 0;
    let most = 0;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (type: string, listener: never, options?: never): void => {
      listeners += 1;
      most = Math.max(most, listeners);
      add(type, listener, options);
    };
    signal.removeEventListener = (type: string, listener: never): void => {
      listeners -= 1;
      remove(type, listener);
    };
    await withRestoration(openKept(core, kept), async (restoration) => {
      ok((await readBytes(restoration, { signal })).equals(LONG_LAYER));
      equal(listeners, 0);
      for await (const piece of restoration.read({ signal })) if (piece.length > 0) break;
    });
    equal(listeners, 0);
    equal(most, 1);
  }),

  inFolder('read() gives nothing outside the layer', async (core, folder) => {
    const kept = await keepLayer(core, folder, SAMPLE_TAR);
    const size = SAMPLE_TAR.length;
    await withRestoration(openKept(core, kept), async (restoration) => {
      equal((await readBytes(restoration, { start: size })).length, 0);
      equal((await readBytes(restoration, { start: size + 5, end: size + 9 })).length, 0);
      equal((await readBytes(restoration, { start: 9, end: 9 })).length, 0);
      equal((await readBytes(restoration, { start: 9, end: 3 })).length, 0);
      const tail = await readBytes(restoration, { start: size - 5, end: size + 5 });
      ok(tail.equals(SAMPLE_TAR.subarray(size - 5)));
    });
  }),

  inFolder('read() gives any range', async (core, folder) => {
    const kept = await keepLayer(core, folder, LONG_LAYER);
    await withRestoration(openKept(core, kept), async (restoration) => {
      const offset = fc.nat({ max: LONG_LAYER.length });
      const law = fc.asyncProperty(offset, offset, async (one, other) => {
        const [start, end] = [Math.min(one, other), Math.max(one, other)];
        const bytes = await readBytes(restoration, { start, end });
        ok(bytes.equals(LONG_LAYER.subarray(start, end)));
      });
      await fc.assert(law, { numRuns: 20 });
    });
  }),

  inFolder('read() needs no names of files any more', async (core, folder) => {
    const kept = await keepLayer(core, folder, LONG_LAYER);
    await withRestoration(openKept(core, kept), async (restoration) => {
      await rm(kept.recipe);
      await rm(kept.pack);
      ok((await readBytes(restoration)).equals(LONG_LAYER));
    });
    equal(await countOpen(folder), 0);
  }),

  inFolder('openRestoration() takes descriptors and leaves them open', async (core, folder) => {
    const { recipe, pack, places } = await keepLayer(core, folder, SAMPLE_TAR);
    const files = [recipe, pack].map((path) => openSync(path, 'r'));
    const [recipeFile = -1, packFile = -1] = files;
    const options = { recipe: recipeFile, packs: [packFile], places };
    await withRestoration(core.openRestoration(options), async (restoration) => {
      ok((await readBytes(restoration)).equals(SAMPLE_TAR));
    });
    equal(await countOpen(folder), 2);
    for (const file of files) closeSync(file);
  }),
];

const closeChecks: readonly Check[] = [
  inFolder('close() ends reads and closes the files', async (core, folder) => {
    const restoration = await openKept(core, await keepLayer(core, folder, LONG_LAYER));
    ok((await countOpen(folder)) > 0);
    const reading = readBytes(restoration);
    // Attached before it can reject.
    const outcome = rejectsCoreError(reading, { code: 'RESTORATION_CLOSED' });
    await setImmediate();
    await restoration.close();
    equal(await countOpen(folder), 0);
    await outcome;
    await rejectsCoreError(readBytes(restoration), { code: 'RESTORATION_CLOSED' });
    await restoration.close();
    equal(restoration.summary.size, LONG_LAYER.length);
  }),

  inFolder('close() may be called by who reads', async (core, folder) => {
    const restoration = await openKept(core, await keepLayer(core, folder, LONG_LAYER));
    const read = async (): Promise<void> => {
      for await (const piece of restoration.read()) {
        ok(piece.length > 0);
        await restoration.close();
      }
    };
    await rejectsCoreError(read(), { code: 'RESTORATION_CLOSED' });
    equal(await countOpen(folder), 0);
  }),
];

/** What is read before it fails, which has to be the layer's first bytes, and the error's code. */
async function readUntilError(
  core: Core,
  kept: KeptLayer,
  bytes: Uint8Array,
): Promise<string | undefined> {
  const pieces: Uint8Array[] = [];
  try {
    await withRestoration(openKept(core, kept), async (restoration) => {
      for await (const piece of restoration.read()) pieces.push(piece.slice());
    });
  } catch (error) {
    if (!isCoreError(error)) throw error;
    const read = Buffer.concat(pieces);
    ok(read.equals(bytes.subarray(0, read.length)), 'what was read is the layer');
    return error.code;
  }
  ok(Buffer.concat(pieces).equals(bytes), 'what was read is the layer');
  return undefined;
}

/** Four files of one size, so that nothing but their ids tells them apart. */
const EQUAL_TAR = makeTar(
  [1, 2, 3, 4].map((seed) => ({ name: `${seed}`, content: makeBytes(10_000, seed) })),
);

function swapPlaces(places: Uint8Array): Uint8Array {
  return Buffer.concat([
    places.subarray(0, PLACE_SIZE),
    places.subarray(2 * PLACE_SIZE, 3 * PLACE_SIZE),
    places.subarray(PLACE_SIZE, 2 * PLACE_SIZE),
    places.subarray(3 * PLACE_SIZE),
  ]);
}

const wrongFileChecks: readonly Check[] = [
  inFolder('read() gives no byte of other files', async (core, folder) => {
    for (const bytes of [EQUAL_TAR, gzipSync(EQUAL_TAR)]) {
      const kept = await keepLayer(core, folder, bytes);
      const swapped = { ...kept, places: swapPlaces(kept.places) };
      equal(await readUntilError(core, swapped, bytes), 'PACK_NO_PIECE');
    }
    equal(await countOpen(folder), 0);
  }),

  inFolder('openRestoration() wants a place for each file', async (core, folder) => {
    const { recipe, pack, places } = await keepLayer(core, folder, EQUAL_TAR);
    for (const count of [0, 3, 5]) {
      const wrong = Buffer.concat([places, places]).subarray(0, count * PLACE_SIZE);
      const job = core.openRestoration({ recipe, packs: [pack], places: wrong });
      await rejectsCoreError(job, { code: 'RESTORE_PLACES', got: count, expected: 4 });
    }
    equal(await countOpen(folder), 0);
  }),

  inFolder('read() tells that a pack was not given, or ends early', async (core, folder) => {
    const kept = await keepLayer(core, folder, EQUAL_TAR);
    const none = core.openRestoration({ recipe: kept.recipe, packs: [], places: kept.places });
    await withRestoration(none, async (restoration) => {
      await rejectsCoreError(readBytes(restoration), { code: 'RESTORE_NO_PACK' });
    });
    for (const length of [kept.packed.end - 1, 30, 16, 0]) {
      await truncate(kept.pack, length);
      equal(await readUntilError(core, kept, EQUAL_TAR), 'RESTORE_PACK_END');
    }
  }),

  inFolder("openRestoration() rejects with the system's code", async (core, folder) => {
    const { recipe, pack, places } = await keepLayer(core, folder, EQUAL_TAR);
    const absent = join(folder, 'absent');
    const gone = { code: 'ENOENT', hasCause: true };
    await rejectsCoreError(core.openRestoration({ recipe: absent, packs: [pack], places }), gone);
    const packs = [pack, absent];
    await rejectsCoreError(core.openRestoration({ recipe, packs, places }), gone);
    await rejectsCoreError(core.openRestoration({ recipe, packs: [1_000_000], places }), {
      code: 'EBADF',
      hasCause: true,
    });
    equal(await countOpen(folder), 0);
  }),
];

/** Flips bits of a file at places that the seed tells. */
async function damage(core: Core, kept: KeptLayer, part: 'pack' | 'recipe'): Promise<void> {
  const layer = await readFile(kept.file);
  const whole = await readFile(kept[part]);
  const flip = fc.tuple(fc.nat({ max: whole.length - 1 }), fc.integer({ min: 1, max: 255 }));
  const law = fc.asyncProperty(fc.array(flip, { minLength: 1, maxLength: 4 }), async (flips) => {
    const damaged = Buffer.from(whole);
    for (const [index, bits] of flips) damaged[index] = (damaged[index] ?? 0) ^ bits;
    await writeFile(kept[part], damaged);
    await readUntilError(core, kept, layer);
  });
  await fc.assert(law, { numRuns: 30 });
}

const damageChecks: readonly Check[] = (['pack', 'recipe'] as const).flatMap((part) =>
  [SAMPLE_TAR.subarray(0, 400_000), gzipSync(SAMPLE_TAR.subarray(0, 400_000))].map((bytes, index) =>
    inFolder(
      `read() gives no wrong byte of a damaged ${part} (${index === 0 ? 'tar' : 'gzip'})`,
      async (core, folder) => {
        await damage(core, await keepLayer(core, folder, bytes), part);
        equal(await countOpen(folder), 0);
      },
    ),
  ),
);

export const restorationChecks: readonly Check[] = [
  ...readChecks,
  ...closeChecks,
  ...wrongFileChecks,
  ...damageChecks,
];
