// The doubles that other tests rely on keep the same contracts as what they stand for.

import test from 'ava';
import type { Digest } from '../../src/oci/digest.ts';
import { testBlobStore } from '../conformance/blob-store.ts';
import { testIndex } from '../conformance/index.ts';
import { MemoryBlobStore } from '../doubles/memory-blob-store.ts';
import { MemoryIndex } from '../doubles/memory-index.ts';

testIndex(test, 'MemoryIndex', () => {
  const index = new MemoryIndex();
  return Promise.resolve({
    index,
    reopen: () => Promise.resolve(index),
    remove: () => index.close(),
  });
});

testBlobStore(test, 'MemoryBlobStore', () => {
  const damaged: Digest[] = [];
  const store = new MemoryBlobStore({ onDamaged: (digest) => damaged.push(digest) });
  return Promise.resolve({
    store,
    damaged,
    reopen: () => Promise.resolve(store),
    damage: (digest) => Promise.resolve(store.damage(digest)),
    remove: () => store.close(),
  });
});
