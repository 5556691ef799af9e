// Layers, files and packs for tests of an index of files: a few, so that what is done meets.

import fc from 'fast-check';
import { FILE_ID_SIZE, PLACE_SIZE } from 'mica-core/core';
import type {
  AppendedFiles,
  FileIndex,
  FileTotals,
  LayerCommit,
  LayerEntry,
  LayerRecord,
  PackRecord,
  QueueEntry,
  RecipeRecord,
  WholeRecord,
} from '../../src/dedup/file-index.ts';
import type { Digest } from '../../src/oci/digest.ts';
import { digestNumber } from './index.ts';

/** Ids whose first bytes are the same for every second file, as those of files may be by chance. */
export function idsOf(files: readonly number[]): Uint8Array {
  const ids = new Uint8Array(files.length * FILE_ID_SIZE);
  const view = new DataView(ids.buffer);
  for (const [at, file] of files.entries()) {
    view.setUint32(at * FILE_ID_SIZE, Math.imul(file >>> 1, 0x9e3779b1) >>> 0);
    view.setUint32(at * FILE_ID_SIZE + FILE_ID_SIZE - 4, file);
  }
  return ids;
}

export function sizeOf(file: number): number {
  return file === 0 ? 2 ** 33 : 10 + file;
}

export function sizesOf(files: readonly number[]): Uint8Array {
  const sizes = new Uint8Array(files.length * 8);
  const view = new DataView(sizes.buffer);
  for (const [at, file] of files.entries()) view.setBigUint64(at * 8, BigInt(sizeOf(file)), true);
  return sizes;
}

export function recipeOf(files: readonly number[]): RecipeRecord {
  const record: RecipeRecord = {
    kind: 'recipe',
    size: 100 + files.length,
    diffId: `sha256:${'d'.repeat(64)}`,
    tarSize: 1000 + files.length,
    recipeSize: 10 + files.length,
    files: files.length,
    restoreSeconds: 0.25,
    storedMs: 77,
  };
  return files.length % 2 === 0 ? record : { ...record, compressor: 'go', level: 6 };
}

export function wholeOf(reason: string): WholeRecord {
  return { kind: 'whole', size: 5, reason, storedMs: 78 };
}

/** Bytes of a pack that a file of these tests takes. */
const STORED_SIZE = 10;

/** Appends the files with these numbers to a pack, three to a block. */
export function appendTo(pack: PackRecord, numbers: readonly number[]): AppendedFiles {
  const places = new Uint8Array(numbers.length * PLACE_SIZE);
  const view = new DataView(places.buffer);
  for (const at of numbers.keys()) {
    const block = Math.floor(at / 3);
    view.setBigUint64(at * PLACE_SIZE, BigInt(pack.size + block * 3 * STORED_SIZE), true);
    view.setUint32(at * PLACE_SIZE + 8, (at % 3) * 1000, true);
    // What is here is not used.
    view.setUint32(at * PLACE_SIZE + 12, 99, true);
  }
  const packSize = pack.size + numbers.length * STORED_SIZE;
  return { pack: pack.number, packSize, numbers: Uint32Array.from(numbers), places };
}

/** How a layer is brought into an index. */
export interface Bringing {
  readonly digest: Digest;
  readonly files: readonly number[];
  readonly owner: string;
  /** Whether files are appended that are there already, as when two bring the same ones. */
  readonly appendAll?: boolean;
  /** Whether one of the missing files is forgotten. */
  readonly lacksOne?: boolean;
}

export async function bringLayer(index: FileIndex, bringing: Bringing): Promise<boolean> {
  const { digest, files } = bringing;
  const ids = idsOf(files);
  const first = files.flatMap((file, at) => (files.indexOf(file) === at ? [at] : []));
  const { missing } = await index.locate(ids);
  const wanted = bringing.appendAll === true ? first : [...missing];
  const numbers = bringing.lacksOne === true ? wanted.slice(1) : wanted;
  const appended =
    numbers.length === 0 ? [] : [appendTo(await index.openPack(bringing.owner), numbers)];
  const commit: LayerCommit = {
    digest,
    record: recipeOf(files),
    ids,
    sizes: sizesOf(files),
    appended,
  };
  return index.commitLayer(commit);
}

/** Copies every second live file of a pack to an owner's open one, and what is no longer live too. */
export async function compact(index: FileIndex, from: number, owner: string): Promise<boolean> {
  const files = numbersOf(await index.filesIn(from)).filter((_, at) => at % 2 === 0);
  const all = [...files, UNKNOWN_FILE];
  const pack = await index.openPack(owner);
  if (pack.number === from) return false;
  const to = appendTo(pack, [...all.keys()]);
  return index.moveFiles(from, idsOf(all), sizesOf(all), to);
}

const UNKNOWN_FILE = 1000;

/** The files that ids belong to. */
export function numbersOf(ids: Uint8Array): number[] {
  const view = new DataView(ids.buffer, ids.byteOffset, ids.byteLength);
  return Array.from({ length: ids.length / FILE_ID_SIZE }, (_, at) =>
    view.getUint32((at + 1) * FILE_ID_SIZE - 4),
  );
}

export type Operation = (index: FileIndex) => Promise<unknown>;

const digests = fc.integer({ min: 1, max: 6 }).map(digestNumber);
const files = fc.array(fc.integer({ min: 0, max: 14 }), { maxLength: 12 });
const owners = fc.constantFrom('a', 'b');
/** Which pack, of those that are there. */
const chosen = fc.integer({ min: 0, max: 5 });
const times = fc.integer({ min: 1, max: 40 });
const reasons = fc.constantFrom('TOO_SMALL', 'NO_LAYER');

const layerOperations: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .record({
        digest: digests,
        files,
        owner: owners,
        appendAll: fc.boolean(),
        lacksOne: fc.integer({ min: 0, max: 5 }).map((dice) => dice === 0),
      })
      .map(
        (bringing): Operation =>
          (index) =>
            bringLayer(index, bringing),
      ),
  },
  {
    weight: 2,
    arbitrary: digests.map(
      (digest): Operation =>
        (index) =>
          index.removeLayer(digest),
    ),
  },
  fc.tuple(digests, reasons).map(
    ([digest, reason]): Operation =>
      (index) =>
        index.putWhole(digest, wholeOf(reason)),
  ),
);

const queueOperations: fc.Arbitrary<Operation> = fc.oneof(
  fc.tuple(digests, times).map(
    ([digest, now]): Operation =>
      (index) =>
        index.enqueue(digest, now),
  ),
  fc.tuple(owners, times, times).map(
    ([owner, now, length]): Operation =>
      (index) =>
        index.claim(owner, now, now + length),
  ),
  fc.tuple(digests, owners, times).map(
    ([digest, owner, until]): Operation =>
      (index) =>
        index.renew(digest, owner, until),
  ),
  fc.tuple(digests, owners, times).map(
    ([digest, owner, notBefore]): Operation =>
      (index) =>
        index.release(digest, owner, notBefore),
  ),
  digests.map(
    (digest): Operation =>
      (index) =>
        index.dequeue(digest),
  ),
);

const packOperations: fc.Arbitrary<Operation> = fc.oneof(
  owners.map(
    (owner): Operation =>
      (index) =>
        index.openPack(owner),
  ),
  chosen.map(
    (at): Operation =>
      async (index) =>
        index.sealPack(await choosePack(index, at)),
  ),
  chosen.map(
    (at): Operation =>
      async (index) =>
        index.removePack(await choosePack(index, at)),
  ),
  fc.tuple(chosen, owners).map(
    ([at, owner]): Operation =>
      async (index) =>
        compact(index, await choosePack(index, at), owner),
  ),
);

/** The number of a pack that is there, or of none when there is no pack. */
async function choosePack(index: FileIndex, at: number): Promise<number> {
  const packs = await collect(index.listPacks());
  return packs[at % Math.max(packs.length, 1)]?.number ?? 1;
}

export const operations: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 3, arbitrary: layerOperations },
  { weight: 2, arbitrary: queueOperations },
  { weight: 2, arbitrary: packOperations },
);

/** Everything that an index can be asked about the names above. */
export interface Everything {
  readonly queue: readonly QueueEntry[];
  readonly layers: readonly LayerEntry[];
  readonly records: readonly (LayerRecord | undefined)[];
  readonly packs: readonly PackRecord[];
  /** Of each pack. */
  readonly files: readonly (readonly number[])[];
  readonly places: readonly number[];
  readonly missing: readonly number[];
  readonly locatedPacks: readonly number[];
  readonly totals: FileTotals;
}

export async function everything(index: FileIndex): Promise<Everything> {
  const packs = await collect(index.listPacks());
  const located = await index.locate(idsOf(Array.from({ length: 15 }, (_, at) => at)));
  return {
    queue: await collect(index.listQueue()),
    layers: await collect(index.listLayers()),
    records: await Promise.all([1, 2, 3, 4, 5, 6].map((at) => index.getLayer(digestNumber(at)))),
    packs,
    files: await Promise.all(
      packs.map(async ({ number }) => numbersOf(await index.filesIn(number))),
    ),
    places: [...located.places],
    missing: [...located.missing],
    locatedPacks: [...located.packs],
    totals: await index.totals(),
  };
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
