// The databases of the index of files, and what is in each.

import type { Database } from 'lmdb';
import type { Digest } from '../oci/digest.ts';
import type { LmdbEnvironment } from '../store/lmdb-environment.ts';
import type { LayerRecord } from './file-index.ts';

export interface QueuedLayer {
  readonly attempts: number;
  /** Nobody gets it before; 0 until it was claimed once. */
  readonly availableMs: number;
  /** Whose claim it is. */
  readonly owner?: string;
}

export interface StoredLayer {
  readonly record: LayerRecord;
  /** Of a layer with a recipe: the set of references that are its own. */
  readonly references?: number;
}

export interface StoredPack {
  readonly size: number;
  readonly plainSize: number;
  readonly liveSize: number;
  readonly owner: string;
  readonly isSealed: boolean;
}

/** Sums of all layers and files, as FileTotals has them. */
export interface StoredTotals {
  recipes: number;
  whole: number;
  queued: number;
  compressedSize: number;
  tarSize: number;
  recipeSize: number;
  packSize: number;
  /** Different files. */
  files: number;
  /** Of layers to files; one that occurs twice counts twice. */
  references: number;
  fileSize: number;
  reasons: Record<string, number>;
}

export interface FileTables {
  /** When it was queued, and the digest. */
  readonly queue: Database<QueuedLayer, [number, Digest]>;
  /** Digest: when it was queued. */
  readonly queued: Database<number, Digest>;
  readonly layers: Database<StoredLayer, Digest>;
  /** A set of references, and the number of a slice of it: ids and counts, as file-slices.ts has them. */
  readonly references: Database<Uint8Array, [number, number]>;
  /** Sets of references that no layer has, with the time of their last change: 0 if no layer will. */
  readonly loose: Database<number, number>;
  /** File id: where it is and how many references it has, as file-entry.ts has it. */
  readonly files: Database<Uint8Array, Uint8Array>;
  /** Pack and place, as file-entry.ts has it: file id. */
  readonly placed: Database<Uint8Array, Uint8Array>;
  readonly packs: Database<StoredPack, number>;
  /** Owner: its pack that is not sealed. */
  readonly openPacks: Database<number, string>;
  readonly totals: Database<StoredTotals, 'totals'>;
  /** Numbers that were given last. */
  readonly given: Database<number, 'pack' | 'references' | 'places'>;
  /** What tells this index from every other one. */
  readonly identity: Database<string, 'identity'>;
}

const BINARY = { keyEncoding: 'binary', encoding: 'binary' } as const;

export function openFileTables(environment: LmdbEnvironment): FileTables {
  return {
    queue: environment.openDatabase('queue'),
    queued: environment.openDatabase('queued'),
    layers: environment.openDatabase('layers'),
    references: environment.openDatabase('references', { encoding: 'binary' }),
    loose: environment.openDatabase('loose-references'),
    files: environment.openDatabase('files', BINARY),
    placed: environment.openDatabase('files-of-packs', BINARY),
    packs: environment.openDatabase('packs'),
    openPacks: environment.openDatabase('open-packs'),
    totals: environment.openDatabase('file-totals'),
    given: environment.openDatabase('given-numbers'),
    identity: environment.openDatabase('file-index-identity'),
  };
}

/** A number that was never given before; inside a transaction. */
export function giveNumber({ given }: FileTables, of: 'pack' | 'references' | 'places'): number {
  const number = (given.get(of) ?? 0) + 1;
  given.putSync(of, number);
  return number;
}

const NO_TOTALS: StoredTotals = {
  recipes: 0,
  whole: 0,
  queued: 0,
  compressedSize: 0,
  tarSize: 0,
  recipeSize: 0,
  packSize: 0,
  files: 0,
  references: 0,
  fileSize: 0,
  reasons: {},
};

export function noTotals(): StoredTotals {
  return { ...NO_TOTALS, reasons: {} };
}

export function readTotals({ totals }: FileTables): StoredTotals {
  return totals.get('totals') ?? noTotals();
}

/** Inside a transaction. */
export function changeTotals(tables: FileTables, change: (totals: StoredTotals) => void): void {
  const totals = readTotals(tables);
  change(totals);
  tables.totals.putSync('totals', totals);
}

/** Adds a layer to the sums, or takes it away. */
export function countLayer(totals: StoredTotals, record: LayerRecord, direction: 1 | -1): void {
  if (record.kind === 'recipe') {
    totals.recipes += direction;
    totals.compressedSize += direction * record.size;
    totals.tarSize += direction * record.tarSize;
    totals.recipeSize += direction * record.recipeSize;
    return;
  }
  totals.whole += direction;
  const left = (totals.reasons[record.reason] ?? 0) + direction;
  const { [record.reason]: _, ...others } = totals.reasons;
  totals.reasons = left === 0 ? others : { ...others, [record.reason]: left };
}
