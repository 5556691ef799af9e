import test from 'ava';
import { type ImageRecipe, imageName, loadRecipes } from '../../src/corpus/recipes.ts';

test('the list has 60 images and more in 12 families and more, by all tools', async (t) => {
  const images = await loadRecipes();
  const counts = (of: (image: ImageRecipe) => string): number => new Set(images.map(of)).size;
  t.true(images.length >= 60);
  t.true(counts(({ family }) => family) >= 12);
  t.is(
    counts(({ tool }) => tool),
    3,
  );
});

test('every family has three images or more', async (t) => {
  const images = await loadRecipes();
  for (const { family } of images) {
    t.true(images.filter((image) => image.family === family).length >= 3, family);
  }
});

test('no two images are made of the same', async (t) => {
  const images = await loadRecipes();
  t.is(new Set(images.map(({ key }) => key)).size, images.length);
});

test('the small corpus has all that its images are made of', async (t) => {
  const small = (await loadRecipes()).filter(({ isSmall }) => isSmall);
  t.true(small.length >= 4);
  for (const image of small) {
    t.not(image.from?.isSmall, false, imageName(image));
  }
});
