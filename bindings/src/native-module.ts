// What the addon exports (node/src).

import type {
  CheckedPack,
  ContentHasher,
  DigestAlgorithm,
  FileDigest,
  FileReference,
  IngestedLayer,
  LayerSummary,
  PackedFiles,
} from './core.ts';

/** One job's control: one for each call. */
export interface JobControl {
  cancel(): void;
  /** Answers the last question, by its number. */
  answer(question: number, wanted: Uint32Array): void;
}

/** A part of a layer. The addon keeps its bytes until they are taken or let go of. */
export interface NativePart {
  /** Bytes. */
  readonly length: number;
  takeInto(into: Uint8Array): void;
  letGo(): void;
}

export interface OpenedRestoration {
  readonly summary: LayerSummary;
  partEnds(): Float64Array;
  /** `due`: when its reader should have everything, ms; what is due first is made first. */
  part(control: JobControl, number: number, due: number): Promise<NativePart>;
  /** Nothing where the parts are the layer. */
  encoder(): PartEncoder | null;
  close(): void;
}

/** Makes a layer of its parts, in order. */
export interface PartEncoder {
  /** Takes a part; gives what of the layer is ready then. */
  encode(control: JobControl, part: NativePart): Promise<NativePart>;
  close(): void;
}

/** How a layer is taken apart. */
export interface NativeIngestOptions {
  readonly algorithm: DigestAlgorithm;
  readonly tarLimit?: number | undefined;
  readonly isProvenLater?: boolean | undefined;
  /** Path of a pack, about whose files the control is asked. */
  readonly pack?: string | undefined;
}

export interface Threads {
  hashFile(
    control: JobControl,
    file: FileReference,
    algorithm: DigestAlgorithm,
    expectedSize?: number,
  ): Promise<FileDigest>;
  ingest(
    control: JobControl,
    layer: FileReference,
    recipe: string,
    options: NativeIngestOptions,
  ): Promise<IngestedLayer>;
  packFiles(
    control: JobControl,
    layer: FileReference,
    recipe: FileReference,
    pack: string,
    files?: Uint32Array,
  ): Promise<PackedFiles>;
  checkPack(control: JobControl, pack: FileReference, size?: number): Promise<CheckedPack>;
  fileIds(control: JobControl, recipe: FileReference): Promise<Uint8Array>;
  fileSizes(control: JobControl, recipe: FileReference): Promise<Uint8Array>;
  openRestoration(
    control: JobControl,
    recipe: FileReference,
    packs: readonly FileReference[],
    places: Uint8Array,
  ): Promise<OpenedRestoration>;
  /** Threads at most. */
  readonly size: number;
}

export interface NativeModule {
  readonly ContentHasher: new (algorithm: DigestAlgorithm) => ContentHasher;
  readonly JobControl: new (
    onProgress?: (done: number) => void,
    onQuestion?: (question: number, about: Uint8Array) => void,
  ) => JobControl;
  readonly Threads: new (size?: number, isBackground?: boolean) => Threads;
  version(): string;
  fileId(bytes: Uint8Array): string;
  contentDigest(algorithm: DigestAlgorithm, bytes: Uint8Array): string;
}
