import test from 'ava';
import { sampleTree, type TreeEntry } from './tree-tar.ts';

/** 100 folders of 20 files of 1,000 bytes, and one large file. */
const TREE: readonly TreeEntry[] = [
  { path: 'all', isFolder: true, size: 0 },
  ...Array.from({ length: 100 }, (_, folder) => folder).flatMap((folder) => [
    { path: `all/${folder}`, isFolder: true, size: 0 },
    ...Array.from({ length: 20 }, (_, file) => ({
      path: `all/${folder}/${file}`,
      isFolder: false,
      size: 1_000,
    })),
  ]),
  { path: 'large', isFolder: false, size: 10_000_000 },
];

test('a sample has about the size asked for, from all over the tree', (t) => {
  const files = sampleTree(TREE, 500_000).filter(({ isFolder }) => !isFolder);
  const size = files.reduce((sum, entry) => sum + entry.size, 0);
  t.true(size > 200_000 && size < 500_000, `${size}`);
  t.true(files.some(({ path }) => path.startsWith('all/0/')));
  t.true(files.some(({ path }) => path.startsWith('all/98/') || path.startsWith('all/99/')));
});

test('a sample has no file that would fill it', (t) => {
  t.false(sampleTree(TREE, 500_000).some(({ path }) => path === 'large'));
});

test('a sample has each folder before what is in it', (t) => {
  const seen = new Set<string>();
  for (const { path } of sampleTree(TREE, 100_000)) {
    const end = path.lastIndexOf('/');
    t.true(end === -1 || seen.has(path.slice(0, end)), path);
    seen.add(path);
  }
});

test('a tree smaller than the sample is taken whole but for its large files', (t) => {
  t.is(sampleTree(TREE, 1_000_000_000).length, TREE.length);
});
