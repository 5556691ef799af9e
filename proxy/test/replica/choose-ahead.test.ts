import test from 'ava';
import { BEGUN_SIZE, chooseAhead, type LayerAhead } from '../../src/replica/choose-ahead.ts';
import { MAX_MEMORY, MAX_MEMORY_LAYER, MemoryLayers } from '../../src/replica/memory-layers.ts';
import { digestNumber } from '../conformance/index.ts';
import { FakeClock } from '../doubles/fake-clock.ts';

const ROOMY = { layers: 16, memory: MAX_MEMORY, disk: 1e9 };

function layer(number: number, of: Partial<LayerAhead> = {}): LayerAhead {
  return { digest: digestNumber(number), size: 1000, gapMs: 1000, restoreMs: 10, ...of };
}

function numbersOf(chosen: readonly LayerAhead[]): number[] {
  const known = new Map(Array.from({ length: 99 }, (_, number) => [digestNumber(number), number]));
  return chosen.map(({ digest }) => known.get(digest) ?? -1);
}

test('those come first that are asked for first', (t) => {
  const layers = [layer(1, { gapMs: 900 }), layer(2, { gapMs: 100 }), layer(3, { gapMs: 500 })];
  t.deepEqual(numbersOf(chooseAhead(layers, ROOMY)), [2, 3, 1]);
  t.deepEqual(numbersOf(chooseAhead(layers, { ...ROOMY, layers: 2 })), [2, 3]);
  t.deepEqual(chooseAhead(layers, { ...ROOMY, layers: 0 }), []);
});

test('what cannot be ready in time is begun, and what comes after is the later for it', (t) => {
  const layers = [
    layer(1, { gapMs: 100, restoreMs: 80 }),
    layer(2, { gapMs: 200, restoreMs: 1000, size: 100 * BEGUN_SIZE }),
    layer(3, { gapMs: 300, restoreMs: 200 }),
    layer(4, { gapMs: 350, restoreMs: 500, size: BEGUN_SIZE / 2 }),
    layer(5, { gapMs: 360 }),
  ];
  const chosen = chooseAhead(layers, ROOMY);
  t.deepEqual(numbersOf(chosen), [1, 2, 3, 4], 'there is no time left for the last one');
  const places = chosen.map(({ place }) => place);
  t.deepEqual(places, ['memory', 'begun', 'memory', 'begun']);
});

test('small layers go to memory, others to the disk, each while there is room', (t) => {
  const layers = [
    layer(1, { size: MAX_MEMORY_LAYER }),
    layer(2, { size: MAX_MEMORY_LAYER + 1 }),
    layer(3, { size: MAX_MEMORY_LAYER }),
    layer(4),
  ];
  const places = (limits: Partial<typeof ROOMY>) =>
    chooseAhead(layers, { ...ROOMY, ...limits }).map(({ place }) => place);
  t.deepEqual(places({}), ['memory', 'disk', 'memory', 'memory']);
  t.deepEqual(places({ disk: 0 }), ['memory', 'begun', 'memory', 'memory']);
  t.deepEqual(places({ memory: 0 }), ['begun', 'disk', 'begun', 'begun']);
  const some = { disk: 0, memory: MAX_MEMORY_LAYER + 1000 };
  t.deepEqual(places(some), ['memory', 'begun', 'begun', 'memory']);
});

test('layers in memory are bounded, and go when nobody asks', async (t) => {
  const clock = new FakeClock();
  const memory = new MemoryLayers(clock);
  for (let number = 0; number < 17; number += 1)
    memory.set(digestNumber(number), new Uint8Array(MAX_MEMORY_LAYER));
  t.false(memory.has(digestNumber(0)), 'the oldest went');
  t.true(memory.has(digestNumber(1)));
  await clock.advance(200_000);
  t.is(memory.get(digestNumber(2))?.length, MAX_MEMORY_LAYER);
  await clock.advance(200_000);
  t.is(memory.get(digestNumber(3)), undefined);
  t.is(memory.get(digestNumber(2))?.length, MAX_MEMORY_LAYER);
  memory.delete(digestNumber(2));
  t.is(memory.get(digestNumber(2)), undefined);
});
