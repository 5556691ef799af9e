// The packs that one layer's new files go into. Nothing of them counts until the index has committed it: what
// is not committed is cut off, at the latest by the next append.

import { isCoreError, type PackedFiles } from 'mica-core/core';
import type { AppendedFiles, FileIndex, PackRecord } from './file-index.ts';
import { PackCutError, type PackStore } from './pack-store.ts';

/** Codes of the core that speak of the pack that is appended to: it gets nothing more. */
const PACK_FAULT = /^PACK_/;

export interface LayerPacksOptions {
  readonly index: FileIndex;
  readonly packs: PackStore;
  /** Whose pack is appended to. One layer at a time may use it. */
  readonly owner: string;
}

/** What was done with a pack, and its number. */
export interface Appended<T> {
  readonly pack: number;
  readonly value: T;
}

export interface NewFiles extends AppendedFiles {
  /** By which the pack has grown. */
  readonly newBytes: number;
}

export function newFiles({ pack, value }: Appended<PackedFiles>): NewFiles {
  const { start, end, files, places } = value;
  return { pack, packSize: end, numbers: files, places, newBytes: end - start };
}

export class LayerPacks {
  readonly #options: LayerPacksOptions;
  readonly #used: Set<number> = new Set();

  constructor(options: LayerPacksOptions) {
    this.#options = options;
  }

  /** Appends to the owner's pack from its committed end on; to another one if that one is damaged. */
  async append<T>(act: (path: string) => Promise<T>): Promise<Appended<T>> {
    for (;;) {
      const { record, path } = await this.#prepare();
      const { number: pack, size } = record;
      try {
        return { pack, value: await act(path) };
      } catch (error) {
        // The head of a new pack is right: who made it has just written it.
        if (size === 0 || !isCoreError(error) || !PACK_FAULT.test(error.code)) throw error;
        await this.#options.index.sealPack(pack);
      }
    }
  }

  /** Appends behind what was just appended. */
  async appendBehind<T>(pack: number, act: (path: string) => Promise<T>): Promise<Appended<T>> {
    return { pack, value: await act(this.#options.packs.path(pack)) };
  }

  /** Cuts off what was not committed: it may be long until the next append. */
  async cut(): Promise<void> {
    const { index, packs } = this.#options;
    for (const number of this.#used) {
      const record = await index.getPack(number);
      if (record !== undefined) await packs.prepare(number, record.size);
    }
  }

  /** A pack that was cut short by the disk gets nothing more: it is sealed, and another one begun. */
  async #prepare(): Promise<{ readonly record: PackRecord; readonly path: string }> {
    const { index, packs, owner } = this.#options;
    for (;;) {
      const record = await index.openPack(owner);
      try {
        const path = await packs.prepare(record.number, record.size);
        this.#used.add(record.number);
        return { record, path };
      } catch (error) {
        if (!(error instanceof PackCutError)) throw error;
        await index.sealPack(record.number);
      }
    }
  }
}
