// Work on layers that is ended before it is done.

import { equal, ok, rejects } from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import type { Core, JobOptions } from '../../src/core.ts';
import { type Check, inFolder } from './check.ts';
import { keepLayer, openKept, readBytes, withRestoration } from './kept-layer.ts';
import { countOpen } from './open-files.ts';
import { makeText, SAMPLE_TAR } from './sample-layers.ts';
import { makeTar } from './tar.ts';

const TAR = makeTar([{ name: 'text', content: makeText(4_000_000, 4) }]);
const LAYER = gzipSync(TAR, { level: 6 });

/** What all jobs on layers can be given. */
type StartJob = (core: Core, folder: string, options: JobOptions) => Promise<unknown>;

async function keepSample(core: Core, folder: string): Promise<void> {
  await keepLayer(core, folder, LAYER);
}

const JOBS: Readonly<Record<string, StartJob>> = {
  'ingest()': (core, folder, options) =>
    core.ingest(join(folder, 'layer'), { ...options, recipe: join(folder, 'new') }),
  'packFiles()': (core, folder, options) =>
    core.packFiles(join(folder, 'layer'), {
      ...options,
      recipe: join(folder, 'layer.recipe'),
      pack: join(folder, 'new-pack'),
    }),
  'fileIds()': (core, folder, options) => core.fileIds(join(folder, 'layer.recipe'), options),
  'fileSizes()': (core, folder, options) => core.fileSizes(join(folder, 'layer.recipe'), options),
};

const jobChecks: readonly Check[] = Object.entries(JOBS).flatMap(([name, start]) => [
  inFolder(`${name} does nothing when it was aborted before`, async (core, folder) => {
    await keepSample(core, folder);
    const reason = { any: 'value' };
    const job = start(core, folder, { signal: AbortSignal.abort(reason) });
    await rejects(job, (error) => error === reason);
    equal(await countOpen(folder), 0);
  }),

  inFolder(`${name} can be aborted at any time`, async (core, folder) => {
    await keepSample(core, folder);
    for (const turns of [0, 1, 2, 3, 5, 8, 13, 21]) {
      const controller = new AbortController();
      const reason = new Error(`after ${turns} turns`);
      const job = start(core, folder, { signal: controller.signal });
      // It may be done before.
      const outcome = job.then(
        () => undefined,
        (error: unknown) => error,
      );
      for (let turn = 0; turn < turns; turn += 1) await setImmediate();
      controller.abort(reason);
      const error = await outcome;
      ok(error === undefined || error === reason, `${error}`);
      equal(await countOpen(folder), 0);
    }
  }),
]);

const progressChecks: readonly Check[] = ['ingest()', 'packFiles()'].map((name) =>
  inFolder(`${name} ends when onProgress throws, with what it threw`, async (core, folder) => {
    await keepSample(core, folder);
    await writeFile(join(folder, 'layer'), Buffer.concat([LAYER, new Uint8Array(20_000_000)]));
    const thrown = new Error('of the caller');
    const onProgress = (): void => {
      throw thrown;
    };
    const job = JOBS[name]?.(core, folder, { onProgress }) ?? Promise.resolve();
    await rejects(job, (error) => error === thrown);
    equal(await countOpen(folder), 0);
  }),
);

const restorationChecks: readonly Check[] = [
  inFolder('openRestoration() can be aborted at any time', async (core, folder) => {
    const kept = await keepLayer(core, folder, LAYER);
    for (const turns of [0, 1, 2, 3, 5, 8]) {
      const controller = new AbortController();
      const { signal } = controller;
      const { recipe, pack, places } = kept;
      const job = core.openRestoration({ recipe, packs: [pack], places, signal });
      const outcome = job.then(
        (opened) => opened.close(),
        (error: unknown) => error,
      );
      for (let turn = 0; turn < turns; turn += 1) await setImmediate();
      controller.abort('enough');
      const error = await outcome;
      ok(error === undefined || error === 'enough', `${error}`);
      equal(await countOpen(folder), 0);
    }
  }),

  inFolder('read() throws the reason when it is aborted', async (core, folder) => {
    const kept = await keepLayer(core, folder, LAYER);
    await withRestoration(openKept(core, kept), async (restoration) => {
      const aborted = readBytes(restoration, { signal: AbortSignal.abort('before') });
      await rejects(aborted, (error) => error === 'before');
      for (const turns of [0, 1, 3, 8]) {
        const controller = new AbortController();
        const reading = readBytes(restoration, { signal: controller.signal });
        const outcome = reading.then(
          (bytes) => bytes.equals(LAYER),
          (error: unknown) => error,
        );
        for (let turn = 0; turn < turns; turn += 1) await setImmediate();
        controller.abort('enough');
        const result = await outcome;
        ok(result === true || result === 'enough', `${result}`);
      }
      ok((await readBytes(restoration)).equals(LAYER));
    });
    equal(await countOpen(folder), 0);
  }),

  inFolder('read() throws the reason when it is aborted between pieces', async (core, folder) => {
    const kept = await keepLayer(core, folder, Buffer.concat([TAR, SAMPLE_TAR]));
    await withRestoration(openKept(core, kept), async (restoration) => {
      const controller = new AbortController();
      const read = async (): Promise<void> => {
        for await (const piece of restoration.read({ signal: controller.signal })) {
          ok(piece.length > 0);
          controller.abort('enough');
        }
      };
      await rejects(read(), (error) => error === 'enough');
    });
  }),

  inFolder('ingest() lets the event loop turn', async (core, folder) => {
    await writeFile(join(folder, 'layer'), LAYER);
    let turns = 0;
    let isDone = false;
    const count = async (): Promise<void> => {
      for (; !isDone; turns += 1) await setImmediate();
    };
    const counting = count();
    await core.ingest(join(folder, 'layer'), { recipe: join(folder, 'recipe') });
    isDone = true;
    await counting;
    ok(turns > 3, `${turns} turns`);
  }),
];

export const abortChecks: readonly Check[] = [
  ...jobChecks,
  ...progressChecks,
  ...restorationChecks,
];
