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
