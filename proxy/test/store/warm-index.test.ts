import test from 'ava';
import type { Files, OpenFile } from '../../src/runtime/runtime.ts';
import { warmIndex } from '../../src/store/warm-index.ts';

/** One file of so many bytes; notes what is done with it. */
function fileOf(size: number) {
  const seen = { path: '', read: 0, isClosed: false };
  const file: Pick<OpenFile, 'read' | 'close'> = {
    read: (into, position) => {
      const count = Math.min(into.length, size - position);
      seen.read += count;
      return Promise.resolve(count);
    },
    close: () => {
      seen.isClosed = true;
      return Promise.resolve();
    },
  };
  const files = {
    open: (path: string) => {
      seen.path = path;
      return Promise.resolve(file);
    },
  } as unknown as Pick<Files, 'open'>;
  return { seen, files };
}

const { signal: never } = new AbortController();

test('warmIndex() reads the whole index once', async (t) => {
  const { seen, files } = fileOf(3_500_000);
  await warmIndex('/data', files, never);
  t.deepEqual(seen, { path: '/data/index/data.mdb', read: 3_500_000, isClosed: true });
});

test('warmIndex() leaves what may not find room in memory', async (t) => {
  const { seen, files } = fileOf(2 ** 40);
  await warmIndex('/data', files, never);
  t.is(seen.read, 512 * 1024 * 1024);
  t.true(seen.isClosed);
});

test('warmIndex() ends when it is aborted', async (t) => {
  const { seen, files } = fileOf(2 ** 40);
  await warmIndex('/data', files, AbortSignal.abort());
  t.is(seen.read, 0);
  t.true(seen.isClosed);
});
