// Real layers by real compressors: each is kept exactly, and by a model where one knows it.

import test from 'ava';
import { loadNative } from '../../src/load-native.ts';
import { matrixCompressors, REPRESENTATIVE_COMPRESSORS } from '../streams/compressors.ts';
import { LAYER_NAMES, type Layer } from '../streams/layer.ts';
import { makeLayer } from '../streams/layers.ts';
import { makeStreams } from '../streams/streams.ts';
import { checkStreams } from './matrix.ts';

const ALL = matrixCompressors();

/** Small layers have many blocks and whole windows; tiny ones can be tried with everything. */
const COMPRESSORS = {
  small: ALL.filter(({ name }) => REPRESENTATIVE_COMPRESSORS.includes(name)),
  tiny: ALL,
} as const;

interface Case {
  readonly title: string;
  readonly size: keyof typeof COMPRESSORS;
  /** The layer, or why it cannot be made. */
  readonly layer: Layer | Error;
}

async function makeCases(): Promise<readonly Case[]> {
  const cases: Case[] = [];
  for (const size of ['small', 'tiny'] as const)
    for (const name of LAYER_NAMES) {
      const layer = await makeLayer(name, size).catch((error: unknown) =>
        error instanceof Error ? error : new Error(String(error)),
      );
      const title = `${size} ${name} by ${COMPRESSORS[size].length} compressors is kept exactly`;
      cases.push({ title, size, layer });
    }
  return cases;
}

const core = loadNative();

// Tests have to be declared all at once.
for (const { title, size, layer } of await makeCases()) {
  if (layer instanceof Error) {
    test.serial.skip(`${title}: ${layer.message.trim().split('\n')[0]}`, (t) => t.fail());
    continue;
  }
  test.serial(title, async (t) => {
    const streams = await makeStreams({ layers: [layer], compressors: COMPRESSORS[size] });
    t.deepEqual(await checkStreams(core, streams), []);
  });
}
