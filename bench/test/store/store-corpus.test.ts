import test from 'ava';
import { listLayers, pickFamilies, pickNearest, sumSizes } from '../../src/store/store-corpus.ts';
import { isStoreRow } from '../../src/store/store-rows.ts';
import { imageOf } from './images.ts';

test('listLayers() gives each layer once, in the order of the images', (t) => {
  const layers = listLayers([imageOf('a', ['base', 'x']), imageOf('b', ['base', 'y'])]);
  t.is(layers.length, 3);
  t.is(sumSizes(layers), 3000);
});

test('pickFamilies() gives the first image of each family', (t) => {
  const [a, b] = [imageOf('a', ['x']), imageOf('b', ['y'])];
  t.deepEqual(pickFamilies([a, { ...a, tag: '2' }, b]), [a, b]);
});

test('pickNearest() gives the item with the nearest value, and none of none', (t) => {
  t.is(
    pickNearest([1, 5, 9], (item) => item, 6),
    5,
  );
  t.is(
    pickNearest([], () => 0, 6),
    undefined,
  );
});

test('isStoreRow() knows rows by their names', (t) => {
  t.true(isStoreRow('replay'));
  t.false(isStoreRow('all'));
});
