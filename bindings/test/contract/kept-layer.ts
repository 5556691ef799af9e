// Layers that a core keeps as recipes and packs, in a folder of a test.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Core,
  FILE_ID_SIZE,
  type IngestedLayer,
  type PackedFiles,
  PLACE_SIZE,
  type ReadOptions,
  type Restoration,
} from '../../src/core.ts';

export interface KeptLayer {
  readonly file: string;
  readonly recipe: string;
  readonly pack: string;
  readonly ingested: IngestedLayer;
  readonly packed: PackedFiles;
  /** For each file of the recipe. */
  readonly places: Uint8Array;
}

/** Ids of files, in hex. */
export function splitIds(ids: Uint8Array): readonly string[] {
  return Array.from({ length: ids.length / FILE_ID_SIZE }, (_, index) =>
    Buffer.from(ids.subarray(index * FILE_ID_SIZE, (index + 1) * FILE_ID_SIZE)).toString('hex'),
  );
}

/** The places of packed files by the files' ids, with another number for the pack. */
export function placesById(
  ids: readonly string[],
  { files, places }: PackedFiles,
  pack = 0,
): Map<string, Uint8Array> {
  const entries = Array.from(files, (number, index): [string, Uint8Array] => {
    const place = Buffer.from(places.subarray(index * PLACE_SIZE, (index + 1) * PLACE_SIZE));
    place.writeUInt32LE(pack, 12);
    return [ids[number] ?? '', place];
  });
  return new Map(entries);
}

/** One place for each id. */
export function joinPlaces(
  ids: readonly string[],
  places: ReadonlyMap<string, Uint8Array>,
): Uint8Array {
  return Buffer.concat(
    ids.map((id) => {
      const place = places.get(id);
      if (place === undefined) throw new Error(`no place of ${id}`);
      return place;
    }),
  );
}

/** Takes a layer apart and packs its files. */
export async function keepLayer(
  core: Core,
  folder: string,
  bytes: Uint8Array,
  { name = 'layer', pack = join(folder, 'pack') } = {},
): Promise<KeptLayer> {
  const file = join(folder, name);
  const recipe = join(folder, `${name}.recipe`);
  await writeFile(file, bytes);
  const ingested = await core.ingest(file, { recipe });
  const packed = await core.packFiles(file, { recipe, pack });
  const ids = splitIds(await core.fileIds(recipe));
  const places = joinPlaces(ids, placesById(ids, packed));
  return { file, recipe, pack, ingested, packed, places };
}

/** What is kept of a layer, to read from. */
export function openKept(core: Core, { recipe, pack, places }: KeptLayer): Promise<Restoration> {
  return core.openRestoration({ recipe, packs: [pack], places });
}

export async function readBytes(
  restoration: Restoration,
  options: ReadOptions = {},
): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of restoration.read(options)) pieces.push(piece.slice());
  return Buffer.concat(pieces);
}

/** Uses a restoration and closes it. */
export async function withRestoration(
  opening: Promise<Restoration>,
  use: (restoration: Restoration) => Promise<void>,
): Promise<void> {
  const restoration = await opening;
  try {
    await use(restoration);
  } finally {
    await restoration.close();
  }
}
