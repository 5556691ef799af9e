// The double that other tests rely on keeps the contract of what it stands for.

import test from 'ava';
import { testFileIndex } from '../conformance/file-index.ts';
import { MemoryFileIndex } from '../doubles/memory-file-index.ts';

testFileIndex(test, 'MemoryFileIndex', () => {
  const index = new MemoryFileIndex();
  return Promise.resolve({
    index,
    reopen: () => Promise.resolve(index),
    remove: () => index.close(),
  });
});
