import test from 'ava';
import { PartialRunError, RunPieces } from '../../src/replica/run-pieces.ts';

const PIECE = new Uint8Array(10).fill(1);

async function drain(pieces: RunPieces, start = 0): Promise<number> {
  let size = 0;
  for await (const piece of pieces.from(start)) size += piece.length;
  return size;
}

test('all pieces of a whole run come, but for what is there already', async (t) => {
  const pieces = new RunPieces();
  await pieces.append(PIECE, 0);
  await pieces.append(PIECE, 10);
  pieces.end(true);
  t.is(await drain(pieces, 13), 7);
});

test('a run that goes on after its end was told costs nobody anything', async (t) => {
  const pieces = new RunPieces();
  await pieces.append(PIECE, 0);
  pieces.end(false);
  await t.throwsAsync(drain(pieces), { instanceOf: PartialRunError });
  await pieces.append(PIECE, 10);
  pieces.end(true);
  await t.throwsAsync(drain(pieces), { instanceOf: PartialRunError });
});

test('a run waits for who takes its pieces, and goes on once nobody does', async (t) => {
  const pieces = new RunPieces();
  const appended: number[] = [];
  const appending = (async () => {
    for (let number = 0; number < 20; number += 1) {
      await pieces.append(PIECE, number * 10);
      appended.push(number);
    }
  })();
  await new Promise(setImmediate);
  t.true(appended.length < 20);
  await pieces.stop();
  await appending;
  t.is(appended.length, 20);
});
