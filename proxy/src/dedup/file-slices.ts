// The files of a layer in slices, for work that must not hold the event loop: each different file once,
// with how often it occurs, sorted by id, as neighbours in the index are then written together.

import { FILE_ID_SIZE } from 'mica-core/core';

/** Different files in a slice: a few ms of writing, 18 KiB of references. */
export const SLICE_LENGTH = 500;

/** Bytes of a reference: a file's id, and how often it occurs (4, little-endian). */
const REFERENCE_SIZE = FILE_ID_SIZE + 4;

/** Files are put into so many buckets by their first 12 bits, each of which is sorted when its turn comes. */
const BUCKETS = 4096;

/** Different files of a layer, sorted by id. */
export interface FileSlice {
  /** For each file its numbers in the layer, ascending. */
  readonly numbers: readonly (readonly number[])[];
}

export function idAt(ids: Uint8Array, number: number): Uint8Array {
  return ids.subarray(number * FILE_ID_SIZE, (number + 1) * FILE_ID_SIZE);
}

/** All files of a layer in slices; one slice without files when there is none. */
export function* sliceFiles(ids: Uint8Array, sliceLength: number): Generator<FileSlice> {
  let files: number[][] = [];
  for (const bucket of fillBuckets(ids)) {
    for (const numbers of groupEqual(ids, bucket)) {
      if (files.length === sliceLength) {
        yield { numbers: files };
        files = [];
      }
      files.push(numbers);
    }
  }
  yield { numbers: files };
}

function fillBuckets(ids: Uint8Array): number[][] {
  const buckets: number[][] = Array.from({ length: BUCKETS }, () => []);
  for (let number = 0; number * FILE_ID_SIZE < ids.length; number += 1) {
    const at = number * FILE_ID_SIZE;
    buckets[((ids[at] ?? 0) << 4) | ((ids[at + 1] ?? 0) >> 4)]?.push(number);
  }
  return buckets;
}

/** Numbers of files with the same id together, sorted by id. */
function groupEqual(ids: Uint8Array, numbers: number[]): number[][] {
  numbers.sort((one, other) => compareIds(ids, one, other) || one - other);
  const groups: number[][] = [];
  for (const number of numbers) {
    const last = groups.at(-1);
    if (last?.[0] !== undefined && compareIds(ids, last[0], number) === 0) last.push(number);
    else groups.push([number]);
  }
  return groups;
}

function compareIds(ids: Uint8Array, one: number, other: number): number {
  for (let at = 0; at < FILE_ID_SIZE; at += 1) {
    const order = (ids[one * FILE_ID_SIZE + at] ?? 0) - (ids[other * FILE_ID_SIZE + at] ?? 0);
    if (order !== 0) return order;
  }
  return 0;
}

export interface Reference {
  readonly id: Uint8Array;
  readonly count: number;
}

/** The references of all files of a layer, in the order in which slices have them. */
export function* referencesOf(ids: Uint8Array): Generator<Reference> {
  for (const { numbers } of sliceFiles(ids, SLICE_LENGTH)) {
    for (const same of numbers) yield { id: idAt(ids, same[0] ?? 0), count: same.length };
  }
}

export function isSameReference(one: Reference, other: Reference): boolean {
  return one.count === other.count && one.id.every((byte, at) => byte === other.id[at]);
}

export function encodeReferences(ids: Uint8Array, slice: FileSlice): Uint8Array {
  const bytes = new Uint8Array(slice.numbers.length * REFERENCE_SIZE);
  const view = new DataView(bytes.buffer);
  for (const [at, numbers] of slice.numbers.entries()) {
    bytes.set(idAt(ids, numbers[0] ?? 0), at * REFERENCE_SIZE);
    view.setUint32(at * REFERENCE_SIZE + FILE_ID_SIZE, numbers.length, true);
  }
  return bytes;
}

export function* decodeReferences(bytes: Uint8Array): Generator<Reference> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < bytes.length; at += REFERENCE_SIZE) {
    const id = bytes.subarray(at, at + FILE_ID_SIZE);
    yield { id, count: view.getUint32(at + FILE_ID_SIZE, true) };
  }
}
