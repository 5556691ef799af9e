// What the addon exports (node/src).

import type { ContentHasher, DigestAlgorithm, FileDigest, FileReference } from './core.ts';

/** One job's control: one for each call. */
export interface JobControl {
  cancel(): void;
}

export interface Threads {
  hashFile(
    control: JobControl,
    file: FileReference,
    algorithm: DigestAlgorithm,
    expectedSize?: number,
  ): Promise<FileDigest>;
}

export interface NativeModule {
  readonly ContentHasher: new (algorithm: DigestAlgorithm) => ContentHasher;
  readonly JobControl: new (onProgress?: (done: number) => void) => JobControl;
  readonly Threads: new (size?: number) => Threads;
  version(): string;
  fileId(bytes: Uint8Array): string;
  contentDigest(algorithm: DigestAlgorithm, bytes: Uint8Array): string;
}
