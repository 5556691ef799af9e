// Layers that are made again now, each opened once for all who read it.

import { type Core, isCoreError, type Restoration } from 'mica-core/core';
import type { Digest } from '../oci/digest.ts';
import type { Clock } from '../runtime/runtime.ts';
import { hasCode } from '../store/file-error.ts';
import { BegunRun } from './begun-run.ts';
import type { FileIndex, LocatedFiles } from './file-index.ts';
import { KnownPlaces } from './known-places.ts';
import type { PackStore } from './pack-store.ts';
import type { RecipeStore } from './recipe-store.ts';
import { RestoredLayer } from './restored-layer.ts';
import { RestoredSource } from './restored-source.ts';
import type { RunCopy } from './run-copy.ts';
import { RunLimits } from './run-limits.ts';

/** Layers kept open without a reader: each has its table of parts, and its share of the core's blocks. */
const MAX_IDLE = 4;

/** How long one is kept without a reader, ms: the next client of the same image comes within that. */
const IDLE_MS = 10_000;

/** A pack may be gone when it is opened, as compaction moved its files: then their places are asked again. */
const MAX_OPENINGS = 3;

/** Errors of the machine, which say nothing of what is stored, by POSIX code. */
const PASSING: ReadonlySet<string> = new Set([
  'EACCES',
  'EDQUOT',
  'EMFILE',
  'ENFILE',
  'ENOMEM',
  'ENOSPC',
  'EPERM',
  'EROFS',
  'ESTALE',
  'ETIMEDOUT',
]);

/** Errors of this program, by their code: it closed the layer, has no threads or memory, cannot write its index. */
const NO_DAMAGE: ReadonlySet<string> = new Set([
  'RESTORATION_CLOSED',
  'NO_THREAD',
  'ZSTD_MEMORY',
  'INDEX_NOT_WRITTEN',
  'TARGET_PACK',
]);

/** The system's codes, such as `EIO`; those of this program have underscores. */
const SYSTEM_CODE = /^E[A-Z0-9]+$/;

export interface RestorationsOptions {
  readonly core: Core;
  readonly index: Pick<FileIndex, 'getLayer' | 'locate' | 'placesVersion'>;
  readonly packs: Pick<PackStore, 'path'>;
  readonly recipes: Pick<RecipeStore, 'path' | 'readPlaces' | 'putPlaces'>;
  readonly clock: Clock;
  readonly limits?: RunLimits;
  /** Takes what is made for readers of the whole layer, too; undefined where no copy is wanted. */
  copyRun?(digest: Digest): RunCopy | undefined;
  /** A reader has ended: bytes it got, and how long it waited for them. */
  onRead?(bytes: number, durationMs: number): void;
  /** The layer cannot be made any more: it is taken out of the store. */
  onDamaged(digest: Digest, error: unknown): Promise<void>;
}

/** Files of the layer are in no pack: the index has lost them. */
export class LostFilesError extends Error {
  override readonly name = 'LostFilesError';
  readonly code = 'FILES_LOST';
  readonly digest: Digest;
  readonly got: number;

  constructor(digest: Digest, got: number) {
    super(`${digest}: ${got} of its files are in no pack`);
    this.digest = digest;
    this.got = got;
  }
}

/** Under the layer's name lies another one's recipe, which would make that one. */
export class OtherRecipeError extends Error {
  override readonly name = 'OtherRecipeError';
  readonly code = 'RECIPE_OTHER_LAYER';

  constructor(digest: Digest, got: string) {
    super(`the recipe of ${digest} makes ${got}`);
  }
}

/** The layer is not in the index: it was removed since it was asked for. */
export class NoRecipeError extends Error {
  override readonly name = 'NoRecipeError';
  readonly code = 'NO_RECIPE';

  constructor(digest: Digest) {
    super(`${digest} has no recipe`);
  }
}

/** Whether an error tells that what is stored of a layer is damaged, and not that this machine is in need. */
export function isDamage(error: unknown): boolean {
  if (error instanceof NoRecipeError || !isCoreError(error)) return false;
  return !PASSING.has(error.code) && !NO_DAMAGE.has(error.code);
}

/**
 * Whether what was read was wrong or was not there. Unlike isDamage() it is false for what could not be read:
 * for work that can wait and has files of its own, whose errors look the same.
 */
export function isFoundWrong(error: unknown): boolean {
  if (!isDamage(error) || !isCoreError(error)) return false;
  return error.code === 'ENOENT' || !SYSTEM_CODE.test(error.code);
}

export class Restorations {
  readonly #options: RestorationsOptions;
  readonly #limits: RunLimits;
  readonly #known: KnownPlaces;
  readonly #layers: Map<Digest, RestoredLayer> = new Map();
  /** Layers without a reader and since when, the longest in front. */
  readonly #idle: Map<RestoredLayer, number> = new Map();
  readonly #ended = new AbortController();
  #isSweeping = false;

  constructor(options: RestorationsOptions) {
    this.#options = options;
    this.#limits = options.limits ?? new RunLimits();
    this.#known = new KnownPlaces(options.recipes);
  }

  /** How many layers are being read. */
  get active(): number {
    return this.#layers.size - this.#idle.size;
  }

  /** Whether a client waits for bytes at this moment, rather than for its network. */
  get isAwaited(): boolean {
    return [...this.#layers.values()].some(({ waiting }) => waiting > 0);
  }

  isReading(digest: Digest): boolean {
    return (this.#layers.get(digest)?.readers ?? 0) > 0;
  }

  /**
   * A source of a layer; undefined when it has no recipe, or cannot be made any more. Rejects with the
   * system's errors that say nothing of the layer.
   */
  async open(digest: Digest): Promise<RestoredSource | undefined> {
    const layer = await this.#enter(digest);
    return layer && new RestoredSource(layer);
  }

  /**
   * What makes the beginning of a layer for a reader to come; undefined when it cannot be made, or would
   * take memory from those who read.
   */
  async begin(digest: Digest): Promise<BegunRun | undefined> {
    if (!this.#limits.isRoomy) return undefined;
    const layer = await this.#enter(digest);
    return layer && new BegunRun(layer);
  }

  /** Opens a layer for one use, beside those that are shared. */
  async openAlone(digest: Digest): Promise<Restoration> {
    return await this.#openFiles(digest);
  }

  /** The layer's files are other ones by now, or gone: who comes opens it anew. */
  async forget(digest: Digest): Promise<void> {
    const layer = this.#layers.get(digest);
    if (layer === undefined) return;
    this.#layers.delete(digest);
    this.#idle.delete(layer);
    await layer.close();
  }

  async close(): Promise<void> {
    this.#ended.abort();
    await Promise.all([...this.#layers.keys()].map((digest) => this.forget(digest)));
  }

  /** A layer with one more reader. */
  async #enter(digest: Digest): Promise<RestoredLayer | undefined> {
    const layer = this.#layers.get(digest) ?? (await this.#find(digest));
    if (layer === undefined) return undefined;
    this.#idle.delete(layer);
    try {
      await layer.enter();
      return layer;
    } catch (error) {
      if (!isDamage(error) && !(error instanceof NoRecipeError)) throw error;
      await this.#onError(digest, error);
      return undefined;
    }
  }

  async #find(digest: Digest): Promise<RestoredLayer | undefined> {
    const record = await this.#options.index.getLayer(digest);
    if (record?.kind !== 'recipe' || this.#ended.signal.aborted) return undefined;
    const known = this.#layers.get(digest);
    if (known !== undefined) return known;
    const layer: RestoredLayer = new RestoredLayer({
      digest,
      size: record.size,
      limits: this.#limits,
      open: () => this.#openFiles(digest),
      copyRun: () => this.#options.copyRun?.(digest),
      onError: (error) => this.#onError(digest, error),
      onIdle: () => this.#noteIdle(layer),
      onRead: (bytes, durationMs) => this.#options.onRead?.(bytes, durationMs),
      now: () => this.#options.clock.now(),
    });
    this.#layers.set(digest, layer);
    return layer;
  }

  async #openFiles(digest: Digest): Promise<Restoration> {
    for (let opening = 1; ; opening += 1) {
      try {
        return await this.#openOnce(digest);
      } catch (error) {
        if (!hasCode(error, 'ENOENT') || opening === MAX_OPENINGS) throw error;
      }
    }
  }

  async #openOnce(digest: Digest): Promise<Restoration> {
    const { core, index, packs, recipes } = this.#options;
    const record = await index.getLayer(digest);
    if (record?.kind !== 'recipe') throw new NoRecipeError(digest);
    const recipe = recipes.path(digest);
    const { places, packs: numbers } = await this.#locate(digest, record.files);
    const paths = numbers.map((number) => packs.path(number));
    const restoration = await core.openRestoration({ recipe, packs: paths, places });
    const { digest: got } = restoration.summary;
    if (got === digest) return restoration;
    await restoration.close();
    throw new OtherRecipeError(digest, got);
  }

  async #locate(digest: Digest, files: number): Promise<LocatedFiles> {
    const { core, index, recipes } = this.#options;
    const version = await index.placesVersion();
    const known = await this.#known.read(digest, version, files);
    if (known !== undefined) return known;
    const located = await index.locate(await core.fileIds(recipes.path(digest)));
    if (located.missing.length > 0) throw new LostFilesError(digest, located.missing.length);
    // Without it the next one looks them up again.
    this.#known.write(digest, version, located).catch(() => undefined);
    return located;
  }

  async #onError(digest: Digest, error: unknown): Promise<void> {
    if (!isDamage(error)) return;
    await this.#options.onDamaged(digest, error);
  }

  #noteIdle(layer: RestoredLayer): void {
    if (this.#layers.get(layer.digest) !== layer) {
      // Forgotten while it was read: nobody else comes to it. Nothing was written that could be lost.
      layer.close().catch(() => undefined);
      return;
    }
    this.#idle.set(layer, this.#options.clock.now());
    for (const [oldest] of this.#idle) {
      if (this.#idle.size <= MAX_IDLE) break;
      this.#forgetIdle(oldest);
    }
    if (!this.#isSweeping) void this.#sweep();
  }

  /** Closes what was idle for long, as long as anything is idle. */
  async #sweep(): Promise<void> {
    const { clock } = this.#options;
    const { signal } = this.#ended;
    this.#isSweeping = true;
    while (this.#idle.size > 0 && !signal.aborted) {
      // The only rejection of sleep() is the abort, which ends the loop.
      await clock.sleep(IDLE_MS, signal).catch(() => undefined);
      const beforeMs = clock.now() - IDLE_MS;
      for (const [layer, sinceMs] of this.#idle) {
        if (sinceMs <= beforeMs) this.#forgetIdle(layer);
      }
    }
    this.#isSweeping = false;
  }

  #forgetIdle(layer: RestoredLayer): void {
    // Nothing was written, so a failing close loses nothing.
    this.forget(layer.digest).catch(() => undefined);
  }
}
