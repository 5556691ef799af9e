import test from 'ava';
import { chooseAhead, type LayerAhead } from '../../src/replica/choose-ahead.ts';
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

test('what cannot be ready in time is left out, and what comes after is not late for it', (t) => {
  const layers = [
    layer(1, { gapMs: 100, restoreMs: 80 }),
    layer(2, { gapMs: 200, restoreMs: 150 }),
    layer(3, { gapMs: 300, restoreMs: 200 }),
  ];
  t.deepEqual(numbersOf(chooseAhead(layers, ROOMY)), [1, 3]);
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
  t.deepEqual(places({ disk: 0 }), ['memory', 'memory', 'memory']);
  t.deepEqual(places({ memory: 0 }), ['disk']);
  const some = chooseAhead(layers, { ...ROOMY, disk: 0, memory: MAX_MEMORY_LAYER + 1000 });
  t.deepEqual(numbersOf(some), [1, 4]);
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
