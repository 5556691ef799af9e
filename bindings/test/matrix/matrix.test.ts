// Real layers by real compressors: each is kept exactly, and by a model where one knows it.

import test from 'ava';
import { loadNative } from '../../src/load-native.ts';
import { makeStreams } from '../streams/streams.ts';
import { makeCases } from './cases.ts';
import { checkStreams } from './matrix.ts';

const core = loadNative();

// Tests have to be declared all at once.
for (const { size, name, layer, compressors } of await makeCases()) {
  const title = `${size} ${name} layer by ${compressors.length} compressors is kept exactly`;
  if (layer instanceof Error) {
    test.serial.skip(`${title}: ${layer.message.trim().split('\n')[0]}`, (t) => t.fail());
    continue;
  }
  test.serial(title, async (t) => {
    const streams = await makeStreams({ layers: [layer], compressors });
    const faults = await checkStreams(core, streams);
    for (const fault of faults) t.log(fault);
    t.is(faults.length, 0, 'streams that are not kept as they should be');
  });
}
