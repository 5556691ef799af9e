// What the WebAssembly module exports (wasm/src). Its objects are not JavaScript's garbage alone: what
// is large is freed by hand.

import type {
  CheckedPack,
  ContentHasher,
  DigestAlgorithm,
  IngestedLayer,
  LayerSummary,
  PackedFiles,
} from './core.ts';

/** Work on a layer whose bytes come in pieces. */
interface LayerWork {
  add(bytes: Uint8Array): void;
  finishInput(): void;
  /** Does the next piece of work; false if it needs more bytes first, or is done. */
  step(): boolean;
  /** The bytes that are ready to be written. */
  take(): Uint8Array;
  free(): void;
}

export interface WasmLayerIngest extends LayerWork {
  finish(): { readonly bytes: Uint8Array; readonly ingested: IngestedLayer };
}

export interface WasmLayerPacker extends LayerWork {
  isDone(): boolean;
  finish(): { readonly bytes: Uint8Array; readonly packed: PackedFiles };
}

/** Bytes of a pack. */
export interface PackRange {
  readonly pack: number;
  readonly offset: number;
  readonly length: number;
}

/** Checks a pack. */
export interface WasmPackCheck {
  /** Offset and length of the bytes that are needed next; nothing at the end. */
  wanted(): Float64Array | undefined;
  /** Takes them; fewer of them if the pack ends before. */
  give(bytes: Uint8Array): void;
  finish(): CheckedPack;
  free(): void;
}

export interface WasmPartMaker {
  /** The part's bytes; nothing while some are missing. */
  step(): Uint8Array | undefined;
  missing(): PackRange | undefined;
  /** Takes the missing bytes; fewer of them if their pack ends before. */
  give(bytes: Uint8Array): void;
  free(): void;
}

/** Makes a layer of its parts' bytes, in order. */
export interface WasmPartEncoder {
  /** Gives the bytes of the layer that are ready once these were taken. */
  encode(bytes: Uint8Array): Uint8Array;
  free(): void;
}

export interface WasmRestoration {
  summary(): LayerSummary;
  partEnds(): Float64Array;
  part(number: number): WasmPartMaker;
  /** Nothing where the parts are the layer. */
  encoder(): WasmPartEncoder | undefined;
  free(): void;
}

export interface WasmModule {
  readonly ContentHasher: new (algorithm: DigestAlgorithm) => ContentHasher;
  readonly LayerIngest: new (
    algorithm: DigestAlgorithm,
    tarLimit?: number,
    isProvenLater?: boolean,
  ) => WasmLayerIngest;
  readonly LayerPacker: new (
    recipe: Uint8Array,
    files: Uint32Array | undefined,
    packSize: number,
    packFront: Uint8Array,
  ) => WasmLayerPacker;
  readonly PackCheck: new (packSize: number) => WasmPackCheck;
  readonly OpenedRestoration: new (
    recipe: Uint8Array,
    packs: number,
    places: Uint8Array,
  ) => WasmRestoration;
  version(): string;
  fileId(bytes: Uint8Array): string;
  contentDigest(algorithm: DigestAlgorithm, bytes: Uint8Array): string;
  fileIds(recipe: Uint8Array): Uint8Array;
  fileSizes(recipe: Uint8Array): Uint8Array;
}
