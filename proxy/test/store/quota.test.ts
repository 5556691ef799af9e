import test from 'ava';
import { reserveOf, resolveQuota } from '../../src/store/quota.ts';

const GIB = 1024 ** 3;

test('resolveQuota() gives the bytes as configured when the disk has room', (t) => {
  const disk = { size: 100 * GIB, free: 50 * GIB };
  t.is(resolveQuota({ kind: 'bytes', bytes: 20 * GIB }, disk, 5 * GIB), 20 * GIB);
});

test('resolveQuota() takes a share of the file system, whatever is free', (t) => {
  const disk = { size: 100 * GIB, free: 60 * GIB };
  t.is(resolveQuota({ kind: 'share', ratio: 0.8 }, disk, 30 * GIB), 80 * GIB);
});

test('resolveQuota() stops at what the disk can give when others fill it', (t) => {
  const disk = { size: 100 * GIB, free: 10 * GIB };
  const limit = resolveQuota({ kind: 'share', ratio: 0.8 }, disk, 5 * GIB);
  t.is(limit, 15 * GIB - reserveOf(disk));
});

test('resolveQuota() gives 0 when the disk is full and nothing is stored', (t) => {
  t.is(resolveQuota({ kind: 'bytes', bytes: GIB }, { size: GIB, free: 0 }, 0), 0);
});

test('reserveOf() keeps a hundredth, 64 MiB at least, and a twentieth of a small disk', (t) => {
  t.is(reserveOf({ size: 1000 * GIB, free: 0 }), 10 * GIB);
  t.is(reserveOf({ size: 2 * GIB, free: 0 }), 64 * 1024 ** 2);
  t.is(reserveOf({ size: 100_000_000, free: 0 }), 5_000_000);
});
