// Counts everything in an index of files anew, from its layers and places, and says what is wrong.

import { FileEntry } from '../../src/dedup/file-entry.ts';
import { decodeReferences } from '../../src/dedup/file-slices.ts';
import { type FileTables, openFileTables, readTotals } from '../../src/dedup/file-tables.ts';
import type { LmdbEnvironment } from '../../src/store/lmdb-environment.ts';

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

/** Each line says what is not as it should be. */
export function recount(environment: LmdbEnvironment): readonly string[] {
  const tables = openFileTables(environment);
  return [
    ...recountReferences(tables),
    ...recountPlaces(tables),
    ...recountPacks(tables),
    ...recountTotals(tables),
  ];
}

function entriesOf({ files }: FileTables): { readonly id: string; readonly entry: FileEntry }[] {
  return [...files.getRange({})].map(({ key, value }) => ({
    id: hex(key),
    entry: new FileEntry(value),
  }));
}

function compare(what: string, got: unknown, expected: unknown): string[] {
  const [one, other] = [JSON.stringify(got), JSON.stringify(expected)];
  return one === other ? [] : [`${what}: ${one}, not ${other}`];
}

function recountReferences(tables: FileTables): string[] {
  const counts = new Map<string, number>();
  const sets = new Set([...tables.layers.getRange({})].map(({ value }) => value.references));
  for (const { key } of tables.loose.getRange({})) sets.add(key);
  const problems: string[] = [];
  for (const { key, value } of tables.references.getRange({})) {
    if (!sets.has(key[0])) problems.push(`references ${key[0]} are nobody's`);
    for (const { id, count } of decodeReferences(value)) {
      counts.set(hex(id), (counts.get(hex(id)) ?? 0) + count);
    }
  }
  for (const { id, entry } of entriesOf(tables)) {
    problems.push(...compare(`references to ${id}`, entry.references, counts.get(id)));
    counts.delete(id);
  }
  return [...problems, ...[...counts.keys()].map((id) => `no file ${id}`)];
}

function recountPlaces(tables: FileTables): string[] {
  const placed = [...tables.placed.getRange({})].map(({ key, value }) => [hex(key), hex(value)]);
  const expected = entriesOf(tables).map(({ id, entry }) => [hex(entry.placeKey), id]);
  const byKey = ([one = '']: string[], [other = '']: string[]) => (one < other ? -1 : 1);
  return compare('files by place', placed, expected.sort(byKey));
}

function recountPacks(tables: FileTables): string[] {
  const entries = entriesOf(tables);
  const problems = entries
    .filter(({ entry }) => tables.packs.get(entry.pack) === undefined)
    .map(({ id }) => `no pack of ${id}`);
  for (const { key, value } of tables.packs.getRange({})) {
    const sizes = entries.filter(({ entry }) => entry.pack === key).map(({ entry }) => entry.size);
    const liveSize = sizes.reduce((sum, size) => sum + size, 0);
    problems.push(...compare(`live bytes of pack ${key}`, value.liveSize, liveSize));
    if (value.plainSize < liveSize) problems.push(`pack ${key} has more live bytes than bytes`);
  }
  return problems;
}

function recountTotals(tables: FileTables): string[] {
  const totals = readTotals(tables);
  const entries = entriesOf(tables).map(({ entry }) => entry);
  const packs = [...tables.packs.getRange({})].map(({ value }) => value.size);
  const records = [...tables.layers.getRange({})].map(({ value }) => value.record);
  const sum = (numbers: readonly number[]) => numbers.reduce((all, number) => all + number, 0);
  return [
    ...compare('files', totals.files, entries.length),
    ...compare('bytes of files', totals.fileSize, sum(entries.map(({ size }) => size))),
    ...compare('references', totals.references, sum(entries.map((entry) => entry.references))),
    ...compare('bytes of packs', totals.packSize, sum(packs)),
    ...compare('layers', totals.recipes + totals.whole, records.length),
    ...compare('queued', totals.queued, [...tables.queue.getKeys({})].length),
    ...compare('queued by digest', totals.queued, [...tables.queued.getKeys({})].length),
  ];
}
