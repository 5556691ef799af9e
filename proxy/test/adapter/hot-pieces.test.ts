import test from 'ava';
import { BufferPool, LARGE_BUFFER } from '../../src/adapter/node/buffer-pool.ts';
import { type HotPiece, HotPieces } from '../../src/adapter/node/hot-pieces.ts';

const BLOB = {};
const START = 3 * LARGE_BUFFER;

/** Reads that fill the buffer with one byte, and counts them. */
function makeReader(byte: number) {
  const reader = {
    reads: 0,
    read: (into: Uint8Array): Promise<number> => {
      reader.reads += 1;
      into.fill(byte);
      return Promise.resolve(into.length);
    },
  };
  return reader;
}

function take(hot: HotPieces, blob: object, start: number, byte = 1): HotPiece {
  const piece = hot.take(blob, start, makeReader(byte).read);
  if (piece === undefined) throw new Error('no buffer is free');
  return piece;
}

test('take() reads a piece once for all who use it, and for the next one', async (t) => {
  const hot = new HotPieces(new BufferPool());
  const reader = makeReader(7);
  const one = take(hot, BLOB, START);
  t.is(hot.take(BLOB, START, reader.read), one);
  t.is(await one.length, LARGE_BUFFER);
  hot.give(one);
  hot.give(one);
  t.is(hot.take(BLOB, START, reader.read), one);
  t.is(reader.reads, 0);
});

test('take() keeps blobs and positions apart', (t) => {
  const hot = new HotPieces(new BufferPool());
  const piece = take(hot, BLOB, START);
  t.not(take(hot, BLOB, 0), piece);
  t.not(take(hot, {}, START), piece);
});

test('take() forgets a piece whose read failed', async (t) => {
  const hot = new HotPieces(new BufferPool());
  const failed = hot.take(BLOB, START, () => Promise.reject(new Error('EIO')));
  await t.throwsAsync(failed?.length ?? Promise.resolve(0), { message: 'EIO' });
  const again = take(hot, BLOB, START);
  t.not(again, failed);
  t.is(await again.length, LARGE_BUFFER);
});

test('take() reuses the buffer of the piece that was left first, and of none in use', (t) => {
  const hot = new HotPieces(new BufferPool(2 * LARGE_BUFFER));
  const first = take(hot, BLOB, 0);
  const second = take(hot, BLOB, LARGE_BUFFER);
  t.is(hot.take(BLOB, START, makeReader(1).read), undefined);
  hot.give(second);
  const third = take(hot, BLOB, START);
  t.is(third.buffer, second.buffer);
  t.is(take(hot, BLOB, 0), first);
});

test('the pool gets a large buffer back from idle pieces', (t) => {
  const pool = new BufferPool(LARGE_BUFFER);
  const hot = new HotPieces(pool);
  const piece = take(hot, BLOB, 0);
  t.not(pool.take(LARGE_BUFFER, false).length, LARGE_BUFFER);
  hot.give(piece);
  t.is(pool.take(LARGE_BUFFER, false), piece.buffer);
});

test('drop() never lets the buffer be used again, and the others go on', (t) => {
  const pool = new BufferPool(LARGE_BUFFER);
  const hot = new HotPieces(pool);
  const piece = take(hot, BLOB, 0);
  take(hot, BLOB, 0);
  hot.drop(piece);
  t.is(hot.take(BLOB, 0, makeReader(2).read), undefined);
  t.is(pool.inUse, LARGE_BUFFER);
  hot.give(piece);
  t.is(pool.inUse, 0);
  t.not(take(hot, BLOB, 0).buffer, piece.buffer);
});
