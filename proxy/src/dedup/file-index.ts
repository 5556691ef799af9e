// What Mica knows of layers that were taken apart: which files it has and where, which layers are
// made of them, and which layers are still to be looked at.
//
// Every write counts as a whole or not at all, and is durable when its promise resolves. Data goes
// first: an entry is written only after the bytes that it speaks of were synced.

import type { Digest } from '../oci/digest.ts';

/** A layer that can be made again from its recipe and files. */
export interface RecipeRecord {
  readonly kind: 'recipe';
  /** Bytes of the layer. */
  readonly size: number;
  readonly diffId: string;
  readonly tarSize: number;
  /** Bytes of the recipe. */
  readonly recipeSize: number;
  /** Files with content, as often as they occur. */
  readonly files: number;
  /** Whose model makes most of the layer, as the core names it; absent when it is not compressed. */
  readonly compressor?: string;
  readonly level?: number;
  /** Seconds that a restore takes, as its proof did. */
  readonly restoreSeconds: number;
  readonly storedMs: number;
}

/** A layer that stays whole. */
export interface WholeRecord {
  readonly kind: 'whole';
  readonly size: number;
  /** Why, as a code: one of the core's, or `TOO_SMALL`, `NO_LAYER`. */
  readonly reason: string;
  readonly storedMs: number;
}

export type LayerRecord = RecipeRecord | WholeRecord;

export type LayerEntry = LayerRecord & { readonly digest: Digest };

/** A layer that waits to be taken apart. */
export interface QueueEntry {
  readonly digest: Digest;
  readonly queuedMs: number;
  /** How often it was begun and not ended: by crashes, or by errors that may pass. */
  readonly attempts: number;
}

/** Files that were appended to one pack, in the order of their places. */
export interface AppendedFiles {
  readonly pack: number;
  /** Bytes of the pack that are valid now. */
  readonly packSize: number;
  /** Numbers of the files among a layer's ids. */
  readonly numbers: Uint32Array;
  /** Where they are in the pack, PLACE_SIZE bytes each; the number of the pack in them is not used. */
  readonly places: Uint8Array;
}

export interface LayerCommit {
  readonly digest: Digest;
  readonly record: RecipeRecord;
  /** Ids of its files in the order of the recipe, FILE_ID_SIZE bytes each; some occur twice. */
  readonly ids: Uint8Array;
  /** Their sizes, 8 bytes little-endian each. */
  readonly sizes: Uint8Array;
  /** Bytes of theirs that turn out to be of no use count as plain bytes of their pack. */
  readonly appended: readonly AppendedFiles[];
}

/** Where files are. */
export interface LocatedFiles {
  /** PLACE_SIZE bytes for each id asked for; undefined content for those that are missing. */
  readonly places: Uint8Array;
  /** The packs that places count. */
  readonly packs: readonly number[];
  /** Numbers of the ids that are nowhere, ascending, each different id once. */
  readonly missing: Uint32Array;
}

export interface PackRecord {
  readonly number: number;
  /** Bytes of it that are valid; what follows is of no use. */
  readonly size: number;
  /** Plain bytes of all files in it. */
  readonly plainSize: number;
  /** Those of files that a layer needs. */
  readonly liveSize: number;
  /** Whether nothing is appended any more. */
  readonly isSealed: boolean;
}

/** Sums of all layers and files. Sizes are bytes. */
export interface FileTotals {
  readonly layers: { readonly recipes: number; readonly whole: number; readonly queued: number };
  readonly bytes: {
    /** Of recipes' layers, as registries have them. */
    readonly compressed: number;
    readonly tar: number;
    readonly recipes: number;
    readonly packs: number;
  };
  readonly files: {
    /** Different files that a layer needs. */
    readonly unique: number;
    /** Files of all recipes, as often as they occur, less the different ones. */
    readonly duplicate: number;
    readonly uniqueSize: number;
  };
  /** How many layers stay whole, by reason. */
  readonly reasons: Readonly<Record<string, number>>;
}

/** Something that the index counts otherwise than it is. */
export interface Miscount {
  readonly subject: string;
  readonly got: number;
  readonly expected: number;
}

export interface FileIndex {
  /** Puts a layer into the queue, unless it is there or its record says what it is; says whether it did. */
  enqueue(digest: Digest, nowMs: number): Promise<boolean>;
  /**
   * The layer that waits longest and that nobody has claimed, claimed by `owner` until `untilMs`. A
   * claim is anybody's from its end on. Counts an attempt.
   */
  claim(owner: string, nowMs: number, untilMs: number): Promise<QueueEntry | undefined>;
  /** Moves a claim's end, also when that has passed; false when it is not the owner's any more. */
  renew(digest: Digest, owner: string, untilMs: number): Promise<boolean>;
  /** Gives a claim back: nobody gets the layer before `notBeforeMs`. Nothing if it is not the owner's. */
  release(digest: Digest, owner: string, notBeforeMs: number): Promise<void>;
  /** Takes a layer out of the queue. */
  dequeue(digest: Digest): Promise<void>;
  /** Those that wait longest first, claimed or not. */
  listQueue(): AsyncIterable<QueueEntry>;

  getLayer(digest: Digest): Promise<LayerRecord | undefined>;
  /** In the order of their digests. */
  listLayers(): AsyncIterable<LayerEntry>;
  /** Notes that a layer stays whole, unless it has a recipe, and takes it out of the queue. */
  putWhole(digest: Digest, record: WholeRecord): Promise<void>;
  /**
   * Writes a layer, counts its files, notes where new ones are, and takes it out of the queue.
   * Files that somebody else brought meanwhile stay where they are. False, with nothing written, if a
   * file that was there is there no longer, the layer's recipe is there already, or a pack that was
   * appended to is not there. When other processes took files away during the call, the pack's size
   * may have been written, and what was appended counts as its plain bytes.
   */
  commitLayer(commit: LayerCommit): Promise<boolean>;
  /**
   * Forgets a layer, with a recipe or whole; files that no other layer needs are forgotten too, and no
   * longer live. False when it was not there.
   */
  removeLayer(digest: Digest): Promise<boolean>;

  /**
   * Another one whenever a file that a layer needs may be somewhere else than before, and for each index:
   * what was located while it is the same is right.
   */
  placesVersion(): Promise<string>;
  /** Where the files with these ids are. A pack may go before they are read, when compaction moved them. */
  locate(ids: Uint8Array): Promise<LocatedFiles>;
  /**
   * Moves files that are still live, and still in pack `from`, to where they were copied; for
   * compaction. Those with the numbers in `to` are, all others of `ids` stay. False, with nothing
   * written, if one of the packs is not there.
   */
  moveFiles(from: number, ids: Uint8Array, sizes: Uint8Array, to: AppendedFiles): Promise<boolean>;
  /** The ids of all live files in a pack, FILE_ID_SIZE bytes each, in the order of their places. */
  filesIn(pack: number): Promise<Uint8Array>;

  /** The owner's pack that is not sealed, or else a new one, empty. No number is given twice. */
  openPack(owner: string): Promise<PackRecord>;
  /** Gives no number up to this one any more; resolves with the last one that was given before, 0 if none. */
  skipPacks(number: number): Promise<number>;
  /** Ends a pack: what is appended to it already may still be committed. */
  sealPack(pack: number): Promise<void>;
  getPack(pack: number): Promise<PackRecord | undefined>;
  /** In the order of their numbers. */
  listPacks(): AsyncIterable<PackRecord>;
  /** Forgets a pack that is sealed and has no live file; false if it is not so. */
  removePack(pack: number): Promise<boolean>;

  /** Kept up to date in every transaction: reading them costs the same for any store. */
  totals(): Promise<FileTotals>;
  /**
   * Whether the layer's references are to the files with these ids, as often as they occur. True when it
   * has no recipe (any more).
   */
  isMadeOf(digest: Digest, ids: Uint8Array): Promise<boolean>;
  /**
   * Counts references, live bytes and sums anew, from what the layers have, all as it is at one moment.
   * With `repair` what is wrong is corrected by the difference, so that commits meanwhile count too.
   */
  recount(repair: boolean): Promise<readonly Miscount[]>;
  /** Resolves once nothing is being written. */
  close(): Promise<void>;
}
