import test from 'ava';
import { makeTrace, Nodes } from '../../src/store/trace.ts';
import { digestOf, imageOf } from './images.ts';

const images = Array.from({ length: 10 }, (_, index) =>
  imageOf(`i${index}`, ['base', `own${index}`]),
);

test('makeTrace() gives the same sessions for the same seed, and others for another', (t) => {
  const make = (seed: number) => makeTrace(images, { sessions: 50, seed });
  t.deepEqual(make(1), make(1));
  t.notDeepEqual(make(1), make(2));
});

test('makeTrace() asks for images by rank: the first of ten gets a third of all pulls', (t) => {
  const trace = makeTrace(images, { sessions: 20_000, seed: 3 });
  const counts = images.map(
    ({ manifest }) => trace.filter((session) => session.manifest === manifest).length,
  );
  const [first = 0, second = 0, ...rest] = counts.toSorted((one, other) => other - one);
  // The sum of 1/r to 10 is 2.929.
  t.true(Math.abs(first / trace.length - 1 / 2.929) < 0.02);
  t.true(Math.abs(second / trace.length - 1 / 2.929 / 2) < 0.02);
  t.true((rest.at(-1) ?? 0) > 0);
});

test('makeTrace() lets time pass forward only', (t) => {
  const trace = makeTrace(images, { sessions: 100, seed: 4 });
  const times = trace.map(({ startMs }) => startMs);
  t.deepEqual(
    times,
    times.toSorted((one, other) => one - other),
  );
  t.true(trace.every(({ gapMs }) => gapMs >= 0 && Number.isFinite(gapMs)));
});

test('Nodes gives the layers that a node lacks, each once', (t) => {
  const nodes = new Nodes();
  t.deepEqual(nodes.pull(1, imageOf('a', ['base', 'x', 'x'])), [digestOf('base'), digestOf('x')]);
  t.deepEqual(nodes.pull(1, imageOf('b', ['base', 'y'])), [digestOf('y')]);
  t.deepEqual(nodes.pull(1, imageOf('a', ['base', 'x', 'x'])), []);
  t.deepEqual(nodes.pull(2, imageOf('b', ['base', 'y'])), [digestOf('base'), digestOf('y')]);
});

test('Nodes forgets the image that a node pulled longest ago', (t) => {
  const nodes = new Nodes();
  const pull = (name: string) => nodes.pull(1, imageOf(name, [name]));
  for (const name of ['a', 'b', 'c', 'a', 'd']) {
    pull(name);
  }
  t.deepEqual(pull('a'), []);
  t.deepEqual(pull('b'), [digestOf('b')]);
});
