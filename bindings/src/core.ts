// The core as TypeScript sees it: one interface over the addon and over WebAssembly. Both give the
// same bytes and the same errors.

/** `native`: the addon, with threads. `wasm`: WebAssembly, in slices on the event loop. */
export type CoreFlavour = 'native' | 'wasm';

export type DigestAlgorithm = 'sha256' | 'sha512';

/** A file's path, or the number of a descriptor that stays the caller's. */
export type FileReference = string | number;

/** What every long-running function takes. */
export interface JobOptions {
  /**
   * Ends the job when it is aborted: the promise rejects with the signal's reason, once the job has
   * let go of its files.
   */
  readonly signal?: AbortSignal | undefined;
  /**
   * Hears the bytes done so far, some values at most; none after the promise has settled. What it
   * throws ends the job and rejects the promise.
   */
  readonly onProgress?: ((done: number) => void) | undefined;
}

export interface HashFileOptions extends JobOptions {
  readonly algorithm: DigestAlgorithm;
  /** Bytes that the file must have; another size rejects with `FILE_SIZE`, `got` and `expected`. */
  readonly expectedSize?: number | undefined;
}

export interface FileDigest {
  /** Algorithm, colon, lower-case hex. */
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
}

/** A layer as a whole. Sizes are bytes. */
export interface LayerSummary {
  /** How its tar is compressed, if it is. */
  readonly encoding: 'identity' | 'gzip' | 'zstd';
  /** Digest of the layer as it is stored in registries. */
  readonly digest: string;
  readonly size: number;
  /** Digest of its tar. */
  readonly diffId: string;
  readonly tarSize: number;
  /** Files with content, as often as they occur. */
  readonly files: number;
}

/** Bytes that each section takes in a recipe; core-rs/doc/recipe-format.md tells of them. */
export interface SectionSizes {
  /** Ids of the files. */
  readonly files: number;
  /** Where files are in the tar. */
  readonly references: number;
  /** The tar without its files. */
  readonly skeleton: number;
  /** A row for each segment. */
  readonly segments: number;
  /** Blocks, and headers that are not as the compressor's table builder makes them. */
  readonly blocks: number;
  /** What the compressor's model predicts wrongly. */
  readonly corrections: number;
  /** Segments that no model knows, as they are. */
  readonly raw: number;
  /** gzip headers and trailers, and what follows them. */
  readonly framing: number;
}

export interface IngestOptions extends JobOptions {
  /** Path of the recipe, which is made, or made anew. It is of no use after an error. */
  readonly recipe: string;
  /** Algorithm of the layer's digest; SHA-256 when absent. */
  readonly algorithm?: DigestAlgorithm | undefined;
  /** Bytes that the layer's tar may have; a larger one rejects with `LAYER_TAR_LIMIT`. */
  readonly tarLimit?: number | undefined;
  /**
   * Whether the caller makes the whole layer again and compares its digest, so that segments are not
   * proven one by one: models run once instead of twice, and hardly at all once they were right about
   * everything for long. A layer that then comes out as another one is to be taken apart without it.
   */
  readonly isProvenLater?: boolean | undefined;
  /** Where new files go in the same pass; none are packed when absent. */
  readonly pack?: IngestPackOptions | undefined;
}

/** How files are packed while a layer is taken apart. */
export interface IngestPackOptions {
  /**
   * Path of the pack, which is appended to, and made if need be. What it has after its old end is of no
   * use after an error.
   */
  readonly path: string;
  /**
   * Says which files are new. `ids` are different ones, {@link FILE_ID_SIZE} bytes each, and no file is
   * asked for twice; the result are positions among them, ascending, else the job rejects with
   * `LAYER_FILE_NUMBER`. It is called for some hundred files at a time, once the call before has resolved,
   * and the layer is read on meanwhile. What it rejects with ends the job and rejects the promise.
   */
  missing(ids: Uint8Array): Promise<Uint32Array>;
}

/** Why a layer cannot be made again. */
export interface Inexact {
  /** Stays the same from version to version, such as `ZSTD_OTHER_COMPRESSOR`. */
  readonly code: string;
  readonly message: string;
}

/** What was found in a layer. Sizes are bytes. */
export interface IngestedLayer {
  readonly summary: LayerSummary;
  /**
   * Why the layer cannot be made again, though its files are known: the caller keeps it whole. Absent
   * where it can, as always but for zstd layers that libzstd does not make.
   */
  readonly inexact?: Inexact;
  /**
   * Whose model makes most of the layer: `go`, `klauspost`, `pgzip`, `zlib` or `pigz`; `zstd` if libzstd
   * makes it.
   */
  readonly compressor?: string;
  /** Its level; -2 is Huffman only. */
  readonly level?: number;
  readonly segments: number;
  /** Segments that are kept as they are, as no model knows them. */
  readonly rawSegments: number;
  /** Of all files. */
  readonly fileSize: number;
  /** Of the recipe. */
  readonly recipeSize: number;
  readonly sectionSizes: SectionSizes;
  /**
   * Files that were packed in the same pass, and are on the disk: those that were said to be missing.
   * Nobody is asked about files for which what is kept of the layer's text (32 MiB) is too little; they are
   * left to packFiles(). Absent when no pack was given; for zstd layers, of which most stay whole; and
   * always from WebAssembly, which packs nothing in that pass.
   */
  readonly packed?: PackedFiles;
}

export interface PackFilesOptions extends JobOptions {
  /** The layer's recipe. */
  readonly recipe: FileReference;
  /** Path of the pack, which is appended to, and made if need be. */
  readonly pack: string;
  /**
   * Numbers of the files in the recipe, ascending, else it rejects with `LAYER_FILE_NUMBER`; each
   * different file once when absent.
   */
  readonly files?: Uint32Array | undefined;
}

/** Files that were written into a pack, and are on the disk. */
export interface PackedFiles {
  /** Bytes of the pack before. */
  readonly start: number;
  /** Bytes of the pack after. */
  readonly end: number;
  /** Numbers of the files in the recipe, in the order of the pack. */
  readonly files: Uint32Array;
  /** Where they are, {@link PLACE_SIZE} bytes each. */
  readonly places: Uint8Array;
}

export interface CheckPackOptions extends JobOptions {
  /** Bytes of the pack: what follows is of no use. All that the file has when absent. */
  readonly size?: number | undefined;
}

/** What of a pack is whole. */
export interface CheckedPack {
  /** Blocks that are whole. */
  readonly blocks: number;
  /** Blocks that are not. Behind one whose header is damaged none is looked for. */
  readonly damagedBlocks: number;
  /** The first of these: what is wrong, as the errors' codes, and where it begins, bytes. */
  readonly damage?: { readonly code: string; readonly offset: number };
  /** Ids of the files that are whole, and whose content has that id, {@link FILE_ID_SIZE} bytes each. */
  readonly ids: Uint8Array;
}

/**
 * Bytes of a file's place in a pack, little-endian: offset of its first block (8), offset in that
 * block's plain text (4), number of the pack among those given (4).
 */
export const PLACE_SIZE = 16;

/** Bytes of a file's id. */
export const FILE_ID_SIZE = 32;

export interface RestoreOptions {
  readonly recipe: FileReference;
  /** The packs that places count. */
  readonly packs: readonly FileReference[];
  /** Where each file of the recipe is, in its order, {@link PLACE_SIZE} bytes each. */
  readonly places: Uint8Array;
}

export interface ReadOptions {
  /** First byte of the layer; 0 when absent. */
  readonly start?: number | undefined;
  /** First byte after what is wanted; the layer's end when absent. */
  readonly end?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A layer that can be made again, as a whole or in part, any number of times. */
export interface Restoration {
  readonly summary: LayerSummary;
  /**
   * The layer's bytes, in pieces of some hundred KiB. A piece is valid until the next one is asked
   * for, which is given in the same memory: who keeps it has to copy it. Only what is asked for is
   * made, a few pieces ahead of who reads. Bytes are given only after they were found to be the layer's;
   * when the files are other ones it throws instead, with `PACK_NO_PIECE` or what else shows it. Of a zstd
   * layer all that is before `start` is made too, on one thread; each reader has an encoder of its own.
   * Throws
   * `RESTORATION_CLOSED` after `close()`.
   */
  read(options?: ReadOptions): AsyncIterable<Uint8Array>;
  /**
   * Ends all reads and resolves once the files are closed. Without it they are when the restoration is
   * collected as garbage, at any later time.
   */
  close(): Promise<void>;
}

/** Makes a content digest from content that comes in pieces. */
export interface ContentHasher {
  update(bytes: Uint8Array): void;
  /** The digest of everything added. Any use after it throws `FINISHED`. */
  finish(): string;
}

/**
 * The core. Its errors are {@link CoreError}s; errors of files have the system's code, such as
 * `ENOENT`.
 */
export interface Core {
  readonly flavour: CoreFlavour;
  readonly version: string;

  /** The BLAKE3-256 hash of a file's content in lower-case hex. */
  fileId(bytes: Uint8Array): string;

  /** The digest of content at hand: algorithm, colon, lower-case hex. */
  contentDigest(algorithm: DigestAlgorithm, bytes: Uint8Array): string;

  contentHasher(algorithm: DigestAlgorithm): ContentHasher;

  /** Hashes a whole file, wherever a descriptor's own position is. */
  hashFile(file: FileReference, options: HashFileOptions): Promise<FileDigest>;

  /**
   * Takes a layer apart: writes its recipe, and proves for every segment that it can be made again to
   * the bit ({@link IngestOptions.isProvenLater}), or says that it cannot ({@link IngestedLayer.inexact}). The same layer gives the same recipe
   * everywhere. Files that are new can go into a pack meanwhile ({@link IngestOptions.pack}). Progress is
   * bytes of the layer.
   */
  ingest(layer: FileReference, options: IngestOptions): Promise<IngestedLayer>;

  /**
   * Writes files of a layer into a pack. What the pack has after its old end is of no use after an
   * error. Progress is bytes of the layer.
   */
  packFiles(layer: FileReference, options: PackFilesOptions): Promise<PackedFiles>;

  /**
   * Reads a pack from its front, checks every block and hashes every file. Damage is a result; what
   * rejects are the file's errors. Progress is bytes of the pack.
   */
  checkPack(pack: FileReference, options?: CheckPackOptions): Promise<CheckedPack>;

  /** The ids of a recipe's files, in its order, {@link FILE_ID_SIZE} bytes each. */
  fileIds(recipe: FileReference, options?: JobOptions): Promise<Uint8Array>;

  /** The sizes of a recipe's files, in its order, 8 bytes little-endian each. */
  fileSizes(recipe: FileReference, options?: JobOptions): Promise<Uint8Array>;

  /**
   * Reads a recipe and opens the packs, so that the layer can be made again; rejects with
   * `RESTORE_INEXACT` where it cannot. Descriptors of packs have to stay open until the restoration is
   * closed.
   */
  openRestoration(options: RestoreOptions & JobOptions): Promise<Restoration>;
}

/** What every error of the core has. */
export interface CoreError extends Error {
  /** Stays the same from version to version. */
  readonly code: string;
  /** Where it was seen, bytes from the start of the input. */
  readonly offset?: number;
  /** What is there. */
  readonly got?: number;
  /** What should be there. */
  readonly expected?: number;
}

export function isCoreError(error: unknown): error is CoreError {
  return error instanceof Error && 'code' in error && typeof error.code === 'string';
}
