// Corrects what a recount of the index of files found, by the difference to what it was then: what was
// written since counts too.

import type { LmdbEnvironment } from '../store/lmdb-environment.ts';
import { SLICE_LENGTH } from './file-slices.ts';
import { changeTotals, type FileTables, giveNumber, type StoredTotals } from './file-tables.ts';
import type { LmdbFiles } from './lmdb-files.ts';
import type { LmdbPacks } from './lmdb-packs.ts';
import type { Found } from './recount-index.ts';

export interface MendParts {
  readonly environment: LmdbEnvironment;
  readonly tables: FileTables;
  readonly packs: LmdbPacks;
  readonly files: LmdbFiles;
}

/** Sets that are nobody's are left to be given up. */
export async function mendIndex(parts: MendParts, found: Found): Promise<void> {
  const { environment, tables, packs, files } = parts;
  const { got, expected } = found.totals;
  await environment.write(() => {
    giveNumber(tables, 'places');
    for (const references of found.straySets) tables.loose.putSync(references, 0);
    for (const pack of found.packs) {
      packs.change(pack.number, {
        liveSize: pack.expected.liveSize - pack.got.liveSize,
        plainSize: pack.expected.plainSize - pack.got.plainSize,
      });
    }
    if (!isSame(got, expected)) changeTotals(tables, (totals) => addTotals(totals, got, expected));
  });
  await inSlices(parts, found.files, (slice) => files.release(slice));
  await inSlices(parts, found.strayPlaces, (slice) => {
    for (const key of slice) files.dropPlace(key);
  });
  await inSlices(parts, found.unplaced, (slice) => {
    for (const id of slice) files.placeAgain(id);
  });
}

async function inSlices<T>(
  { environment }: MendParts,
  items: readonly T[],
  mend: (slice: readonly T[]) => void,
): Promise<void> {
  for (let start = 0; start < items.length; start += SLICE_LENGTH) {
    await environment.write(() => mend(items.slice(start, start + SLICE_LENGTH)));
  }
}

function isSame(one: StoredTotals, other: StoredTotals): boolean {
  return JSON.stringify(sorted(one)) === JSON.stringify(sorted(other));
}

function byName([one]: [string, number], [other]: [string, number]): number {
  return one < other ? -1 : 1;
}

function sorted({ reasons, ...sums }: StoredTotals): unknown {
  return [Object.entries(sums).sort(byName), Object.entries(reasons).sort(byName)];
}

/** Adds the difference of what is expected and what was got. */
function addTotals(totals: StoredTotals, got: StoredTotals, expected: StoredTotals): void {
  const reasons = { ...totals.reasons };
  for (const reason of new Set([...Object.keys(got.reasons), ...Object.keys(expected.reasons)])) {
    const difference = (expected.reasons[reason] ?? 0) - (got.reasons[reason] ?? 0);
    reasons[reason] = (reasons[reason] ?? 0) + difference;
    if (reasons[reason] === 0) delete reasons[reason];
  }
  totals.reasons = reasons;
  totals.recipes += expected.recipes - got.recipes;
  totals.whole += expected.whole - got.whole;
  totals.queued += expected.queued - got.queued;
  totals.compressedSize += expected.compressedSize - got.compressedSize;
  totals.tarSize += expected.tarSize - got.tarSize;
  totals.recipeSize += expected.recipeSize - got.recipeSize;
  totals.packSize += expected.packSize - got.packSize;
  totals.files += expected.files - got.files;
  totals.references += expected.references - got.references;
  totals.fileSize += expected.fileSize - got.fileSize;
}
