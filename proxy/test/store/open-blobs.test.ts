import test from 'ava';
import type { Digest } from '../../src/oci/digest.ts';
import type { OpenFile } from '../../src/runtime/runtime.ts';
import { OpenBlobs } from '../../src/store/open-blobs.ts';
import { digestNumber } from '../conformance/index.ts';
import { FakeClock } from '../doubles/fake-clock.ts';
import { makeTestRuntime } from '../doubles/test-runtime.ts';

/** Files that are open, by path; each has the size 1. */
function openFiles() {
  const open: string[] = [];
  const clock = new FakeClock();
  const openOne = (path: string): Promise<OpenFile> => {
    open.push(path);
    return Promise.resolve({
      read: () => Promise.resolve(0),
      write: () => Promise.resolve(),
      size: () => Promise.resolve(1),
      truncate: () => Promise.resolve(),
      sync: () => Promise.resolve(),
      close: () => {
        open.splice(open.indexOf(path), 1);
        return Promise.resolve();
      },
    });
  };
  const { files } = makeTestRuntime({ files: { open: openOne } });
  return { open, clock, blobs: new OpenBlobs(files, clock) };
}

const ONE: Digest = digestNumber(1);

test('acquire() opens a file once for all its users', async (t) => {
  const { open, blobs } = openFiles();
  const [first, second] = await Promise.all([blobs.acquire(ONE, 'a'), blobs.acquire(ONE, 'a')]);
  t.is(first, second);
  t.is(first?.users, 2);
  t.deepEqual(open, ['a']);
  blobs.close();
});

test('release() keeps a file for the next user until it was idle for long', async (t) => {
  const { open, clock, blobs } = openFiles();
  const blob = await blobs.acquire(ONE, 'a');
  if (blob === undefined) throw new Error('absent');
  await clock.advance(60_000);
  blobs.release(blob);
  t.is(await blobs.acquire(ONE, 'a'), blob);
  blobs.release(blob);
  t.deepEqual(open, ['a']);
  await clock.advance(30_000);
  t.deepEqual(open, []);
  t.is(clock.sleeping, 0);
});

test('release() closes the file that was idle longest when there are many', async (t) => {
  const { open, blobs } = openFiles();
  for (let at = 0; at < 200; at += 1) {
    const blob = await blobs.acquire(digestNumber(at), String(at));
    if (blob !== undefined) blobs.release(blob);
  }
  t.is(open.length, 128);
  t.false(open.includes('0'));
  t.true(open.includes('199'));
  blobs.close();
  t.deepEqual(open, []);
});

test('retire() leaves a file to its users and opens another for who comes later', async (t) => {
  const { open, blobs } = openFiles();
  const blob = await blobs.acquire(ONE, 'old');
  if (blob === undefined) throw new Error('absent');
  blobs.retire(ONE);
  t.not(await blobs.acquire(ONE, 'new'), blob);
  t.deepEqual(open, ['old', 'new']);
  blobs.release(blob);
  t.deepEqual(open, ['new']);
  blobs.close();
});

test('retire() while a file is being opened keeps it from later users', async (t) => {
  const { open, blobs } = openFiles();
  const opening = blobs.acquire(ONE, 'old');
  blobs.retire(ONE);
  const [old, fresh] = await Promise.all([opening, blobs.acquire(ONE, 'new')]);
  t.not(old, fresh);
  t.true(old?.isRetired);
  if (old !== undefined) blobs.release(old);
  t.deepEqual(open, ['new']);
  blobs.close();
});

test('close() leaves files to their users and closes each with its last one', async (t) => {
  const { open, blobs } = openFiles();
  const blob = await blobs.acquire(ONE, 'a');
  if (blob === undefined) throw new Error('absent');
  blobs.close();
  t.deepEqual(open, ['a']);
  blobs.release(blob);
  t.deepEqual(open, []);
});
