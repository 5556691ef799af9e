// biome-ignore-all lint/suspicious/useAwait: the contracts are asynchronous, these answers are at hand.

// An index of files in memory: the plain form of the contract. It keeps layers, places and packs, and
// counts references, live bytes and totals anew each time it is asked.

import { FILE_ID_SIZE, PLACE_SIZE } from 'mica-core/core';
import type {
  AppendedFiles,
  FileIndex,
  FileTotals,
  LayerCommit,
  LayerEntry,
  LayerRecord,
  LocatedFiles,
  Miscount,
  PackRecord,
  QueueEntry,
  WholeRecord,
} from '../../src/dedup/file-index.ts';
import type { Digest } from '../../src/oci/digest.ts';

interface Layer {
  readonly record: LayerRecord;
  readonly ids: readonly string[];
}

interface Waiting {
  readonly queuedMs: number;
  readonly attempts: number;
  readonly availableMs: number;
  readonly owner?: string;
}

interface StoredFile {
  readonly pack: number;
  readonly place: Uint8Array;
  readonly size: number;
}

interface Pack {
  readonly owner: string;
  readonly size: number;
  readonly plainSize: number;
  readonly isSealed: boolean;
}

function splitIds(ids: Uint8Array): string[] {
  return Array.from({ length: ids.length / FILE_ID_SIZE }, (_, number) =>
    Buffer.from(ids.subarray(number * FILE_ID_SIZE, (number + 1) * FILE_ID_SIZE)).toString('hex'),
  );
}

function splitSizes(sizes: Uint8Array): number[] {
  const view = new DataView(sizes.buffer, sizes.byteOffset, sizes.byteLength);
  return Array.from({ length: sizes.length / 8 }, (_, at) =>
    Number(view.getBigUint64(at * 8, true)),
  );
}

function splitPlaces(places: Uint8Array): Uint8Array[] {
  return Array.from({ length: places.length / PLACE_SIZE }, (_, at) =>
    places.slice(at * PLACE_SIZE, (at + 1) * PLACE_SIZE),
  );
}

function byPlace(one: StoredFile, other: StoredFile): number {
  const [a, b] = [one.place, other.place].map((place) => new DataView(place.buffer));
  const order = Number((a?.getBigUint64(0, true) ?? 0n) - (b?.getBigUint64(0, true) ?? 0n));
  return order === 0 ? (a?.getUint32(8, true) ?? 0) - (b?.getUint32(8, true) ?? 0) : order;
}

function sum(numbers: Iterable<number>): number {
  let total = 0;
  for (const number of numbers) total += number;
  return total;
}

function byText([one]: [string, unknown], [other]: [string, unknown]): number {
  return one < other ? -1 : 1;
}

export class MemoryFileIndex implements FileIndex {
  readonly #identity = crypto.randomUUID();
  #moves = 0;
  readonly #queue = new Map<Digest, Waiting>();
  readonly #layers = new Map<Digest, Layer>();
  readonly #files = new Map<string, StoredFile>();
  readonly #packs = new Map<number, Pack>();
  #nextPack = 1;

  async enqueue(digest: Digest, nowMs: number): Promise<boolean> {
    if (this.#queue.has(digest) || this.#layers.has(digest)) return false;
    this.#queue.set(digest, { queuedMs: nowMs, attempts: 0, availableMs: 0 });
    return true;
  }

  async claim(owner: string, nowMs: number, untilMs: number): Promise<QueueEntry | undefined> {
    const [found] = this.#inOrder().filter(([, waiting]) => waiting.availableMs <= nowMs);
    if (found === undefined) return undefined;
    const [digest, { queuedMs, attempts }] = found;
    this.#queue.set(digest, { queuedMs, attempts: attempts + 1, availableMs: untilMs, owner });
    return { digest, queuedMs, attempts: attempts + 1 };
  }

  async renew(digest: Digest, owner: string, untilMs: number): Promise<boolean> {
    const waiting = this.#queue.get(digest);
    if (waiting?.owner !== owner) return false;
    this.#queue.set(digest, { ...waiting, availableMs: untilMs });
    return true;
  }

  async release(digest: Digest, owner: string, notBeforeMs: number): Promise<void> {
    const waiting = this.#queue.get(digest);
    if (waiting?.owner !== owner) return;
    const { queuedMs, attempts } = waiting;
    this.#queue.set(digest, { queuedMs, attempts, availableMs: notBeforeMs });
  }

  async dequeue(digest: Digest): Promise<void> {
    this.#queue.delete(digest);
  }

  async *listQueue(): AsyncGenerator<QueueEntry> {
    for (const [digest, { queuedMs, attempts }] of this.#inOrder()) {
      yield { digest, queuedMs, attempts };
    }
  }

  async getLayer(digest: Digest): Promise<LayerRecord | undefined> {
    return this.#layers.get(digest)?.record;
  }

  async *listLayers(): AsyncGenerator<LayerEntry> {
    for (const [digest, { record }] of [...this.#layers].sort(byText)) yield { digest, ...record };
  }

  async putWhole(digest: Digest, record: WholeRecord): Promise<void> {
    this.#queue.delete(digest);
    if (this.#layers.get(digest)?.record.kind === 'recipe') return;
    this.#layers.set(digest, { record, ids: [] });
  }

  async commitLayer({ digest, record, ids, sizes, appended }: LayerCommit): Promise<boolean> {
    const names = splitIds(ids);
    const brought = new Set(appended.flatMap(({ numbers }) => [...numbers].map((at) => names[at])));
    if (this.#layers.get(digest)?.record.kind === 'recipe') return false;
    if (appended.some(({ pack }) => !this.#packs.has(pack))) return false;
    if (names.some((name) => !this.#files.has(name) && !brought.has(name))) return false;
    for (const files of appended) {
      this.#append(files, sizes);
      for (const [name, file] of filesOf(files, names, sizes)) {
        if (!this.#files.has(name)) this.#files.set(name, file);
      }
    }
    this.#layers.set(digest, { record, ids: names });
    this.#queue.delete(digest);
    return true;
  }

  async removeLayer(digest: Digest): Promise<boolean> {
    const layer = this.#layers.get(digest);
    if (layer === undefined) return false;
    this.#layers.delete(digest);
    const needed = new Set(this.#occurrences());
    for (const name of layer.ids) if (!needed.has(name)) this.#files.delete(name);
    return true;
  }

  async locate(ids: Uint8Array): Promise<LocatedFiles> {
    const names = splitIds(ids);
    const places = new Uint8Array(names.length * PLACE_SIZE);
    const packs: number[] = [];
    const missing = new Map<string, number>();
    for (const [number, name] of names.entries()) {
      const file = this.#files.get(name);
      if (file === undefined) {
        if (!missing.has(name)) missing.set(name, number);
        continue;
      }
      if (!packs.includes(file.pack)) packs.push(file.pack);
      places.set(file.place, number * PLACE_SIZE);
      const view = new DataView(places.buffer, number * PLACE_SIZE, PLACE_SIZE);
      view.setUint32(PLACE_SIZE - 4, packs.indexOf(file.pack), true);
    }
    return { places, packs, missing: Uint32Array.from(missing.values()) };
  }

  async moveFiles(
    from: number,
    ids: Uint8Array,
    sizes: Uint8Array,
    to: AppendedFiles,
  ): Promise<boolean> {
    if (!this.#packs.has(from) || !this.#packs.has(to.pack)) return false;
    this.#moves += 1;
    this.#append(to, sizes);
    for (const [name, file] of filesOf(to, splitIds(ids), sizes)) {
      if (this.#files.get(name)?.pack === from) this.#files.set(name, file);
    }
    return true;
  }

  async placesVersion(): Promise<string> {
    return `${this.#identity}:${this.#moves}`;
  }

  async filesIn(pack: number): Promise<Uint8Array> {
    const files = this.#in(pack).sort(([, one], [, other]) => byPlace(one, other));
    return Uint8Array.from(Buffer.from(files.map(([name]) => name).join(''), 'hex'));
  }

  async openPack(owner: string): Promise<PackRecord> {
    for (const [number, pack] of this.#packs) {
      if (pack.owner === owner && !pack.isSealed) return this.#record(number, pack);
    }
    const pack = { owner, size: 0, plainSize: 0, isSealed: false };
    const number = this.#nextPack;
    this.#nextPack += 1;
    this.#packs.set(number, pack);
    return this.#record(number, pack);
  }

  async skipPacks(number: number): Promise<number> {
    const last = this.#nextPack - 1;
    this.#nextPack = Math.max(this.#nextPack, number + 1);
    return last;
  }

  async sealPack(number: number): Promise<void> {
    const pack = this.#packs.get(number);
    if (pack !== undefined) this.#packs.set(number, { ...pack, isSealed: true });
  }

  async getPack(number: number): Promise<PackRecord | undefined> {
    const pack = this.#packs.get(number);
    return pack === undefined ? undefined : this.#record(number, pack);
  }

  async *listPacks(): AsyncGenerator<PackRecord> {
    for (const [number, pack] of [...this.#packs]) yield this.#record(number, pack);
  }

  async removePack(number: number): Promise<boolean> {
    if (this.#packs.get(number)?.isSealed !== true || this.#in(number).length > 0) return false;
    this.#moves += 1;
    return this.#packs.delete(number);
  }

  async totals(): Promise<FileTotals> {
    const records = [...this.#layers.values()].map(({ record }) => record);
    const recipes = records.filter((record) => record.kind === 'recipe');
    const whole = records.filter((record) => record.kind === 'whole');
    const reasons: Record<string, number> = {};
    for (const { reason } of whole) reasons[reason] = (reasons[reason] ?? 0) + 1;
    return {
      layers: { recipes: recipes.length, whole: whole.length, queued: this.#queue.size },
      bytes: {
        compressed: sum(recipes.map(({ size }) => size)),
        tar: sum(recipes.map(({ tarSize }) => tarSize)),
        recipes: sum(recipes.map(({ recipeSize }) => recipeSize)),
        packs: sum([...this.#packs.values()].map(({ size }) => size)),
      },
      files: {
        unique: this.#files.size,
        duplicate: this.#occurrences().length - this.#files.size,
        uniqueSize: sum([...this.#files.values()].map(({ size }) => size)),
      },
      reasons,
    };
  }

  async isMadeOf(digest: Digest, ids: Uint8Array): Promise<boolean> {
    const layer = this.#layers.get(digest);
    if (layer?.record.kind !== 'recipe') return true;
    const byName = (one: string, other: string) => (one < other ? -1 : 1);
    const [got, expected] = [layer.ids, splitIds(ids)].map((names) => [...names].sort(byName));
    return JSON.stringify(got) === JSON.stringify(expected);
  }

  async recount(_repair: boolean): Promise<readonly Miscount[]> {
    return [];
  }

  async close(): Promise<void> {
    // Nothing is held.
  }

  #occurrences(): string[] {
    return [...this.#layers.values()].flatMap(({ ids }) => ids);
  }

  #in(pack: number): [string, StoredFile][] {
    return [...this.#files].filter(([, file]) => file.pack === pack);
  }

  #record(number: number, { size, plainSize, isSealed }: Pack): PackRecord {
    const liveSize = sum(this.#in(number).map(([, file]) => file.size));
    return { number, size, plainSize, liveSize, isSealed };
  }

  #inOrder(): [Digest, Waiting][] {
    const waiting = [...this.#queue].sort(byText);
    return waiting.sort(([, one], [, other]) => one.queuedMs - other.queuedMs);
  }

  #append(files: AppendedFiles, sizes: Uint8Array): void {
    const pack = this.#packs.get(files.pack);
    if (pack === undefined) return;
    const all = splitSizes(sizes);
    const plainSize = pack.plainSize + sum([...files.numbers].map((at) => all[at] ?? 0));
    const size = Math.max(pack.size, files.packSize);
    this.#packs.set(files.pack, { ...pack, size, plainSize });
  }
}

function* filesOf(
  files: AppendedFiles,
  names: readonly string[],
  sizes: Uint8Array,
): Generator<[string, StoredFile]> {
  const all = splitSizes(sizes);
  const places = splitPlaces(files.places);
  for (const [at, number] of files.numbers.entries()) {
    const [name, place, size] = [names[number], places[at], all[number]];
    if (name === undefined || place === undefined || size === undefined) continue;
    yield [name, { pack: files.pack, place, size }];
  }
}
