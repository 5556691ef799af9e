// The files that the WebAssembly core works on. WebAssembly has none of its own: an adapter passes
// them in. The open files of Mica's `Files` satisfy both interfaces.

import type { FileReference } from './core.ts';

/** Bytes that are read at given positions. */
export interface ByteSource {
  /** Reads at most `into.length` bytes from `position`; 0 at the end. */
  read(into: Uint8Array, position: number): Promise<number>;
  size(): Promise<number>;
  close(): Promise<void>;
}

/** Bytes that are written at given positions. */
export interface ByteSink {
  /** Writes all bytes at `position`. */
  write(bytes: Uint8Array, position: number): Promise<void>;
  /** Returns once the bytes are on stable storage. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** Errors carry the POSIX `code`. */
export interface CoreFiles {
  /** Closing a source that was opened by descriptor leaves the descriptor open. */
  openSource(file: FileReference): Promise<ByteSource>;
  /** Makes a file, or empties the one that is there. */
  createSink(path: string): Promise<ByteSink>;
  /** Makes a file, or leaves the one that is there as it is. */
  openSink(path: string): Promise<ByteSink & ByteSource>;
}
