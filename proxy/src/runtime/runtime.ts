// What Mica needs of the machine it runs on, as small interfaces, so that one application runs on
// every runtime and tests can pass their own clock. Implementations live in adapter/.

import type { CoreChoice } from 'mica-core/core-choice';
import type { CoreThreads, LoadedCore } from 'mica-core/load-core';
import type { DigestAlgorithm } from '../oci/digest.ts';

/** An open file. Positions and lengths are bytes; reads and writes name their position. */
export interface OpenFile {
  /** Reads at most `into.length` bytes from `position`; 0 at the end of the file. */
  read(into: Uint8Array, position: number): Promise<number>;
  /** Writes all bytes at `position`. */
  write(bytes: Uint8Array, position: number): Promise<void>;
  size(): Promise<number>;
  truncate(size: number): Promise<void>;
  /** Returns once the bytes are on stable storage (fsync). */
  sync(): Promise<void>;
  close(): Promise<void>;
}

export interface FileStatus {
  readonly kind: 'file' | 'directory' | 'other';
  readonly size: number;
  /** Bytes that the file takes on the disk. */
  readonly allocated: number;
  readonly modifiedMs: number;
}

export interface DiskSpace {
  readonly size: number;
  /** Bytes that this process may still write. */
  readonly free: number;
}

/** A file system. Errors carry the POSIX `code`, such as `ENOENT` or `ENOSPC`. */
export interface Files {
  /** `read`: an existing file; `create`: new, or the existing one emptied; `update`: read and write, made if absent. */
  open(path: string, mode: 'read' | 'create' | 'update'): Promise<OpenFile>;
  stat(path: string): Promise<FileStatus | undefined>;
  list(path: string): Promise<readonly string[]>;
  makeDirectory(path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** Gives a file a second name; rejects with EEXIST when `to` is there, and so decides races. */
  link(from: string, to: string): Promise<void>;
  /** Removes a file; absent is fine. */
  remove(path: string): Promise<void>;
  removeDirectory(path: string): Promise<void>;
  /** Makes names created, renamed or removed in a directory durable (fsync of the directory). */
  syncDirectory(path: string): Promise<void>;
  readText(path: string): Promise<string>;
  space(path: string): Promise<DiskSpace>;
}

/** A hash of a file that may still be growing, computed off the event loop. */
export interface FollowedHash {
  /** Says that the file now has at least `length` bytes. */
  extend(length: number): void;
  /** Bytes hashed so far. */
  readonly hashed: number;
  /** The hex hash of exactly the bytes up to the last `extend`. */
  digest(): Promise<string>;
  /** Ends the work early and frees what it holds. */
  close(): void;
}

/** A hash that is fed chunk by chunk on the event loop: for bytes that pass through anyway. */
export interface IncrementalHash {
  update(bytes: Uint8Array): void;
  hex(): string;
}

export interface Hashing {
  /** Hex hash of bytes in memory; meant for small ones (manifests). */
  hash(algorithm: DigestAlgorithm, bytes: Uint8Array): Promise<string>;
  follow(path: string, algorithm: DigestAlgorithm): FollowedHash;
  incremental(algorithm: DigestAlgorithm): IncrementalHash;
}

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Waits; rejects with the signal's reason when it is aborted. */
  sleep(durationMs: number, signal?: AbortSignal): Promise<void>;
}

export interface Processes {
  /** Runs a program without a shell and gives what it printed; rejects when it fails. */
  run(command: string, args: readonly string[], input: string): Promise<string>;
}

export interface Network {
  /** All addresses of a host, in the order to try them; rejects when it has none. */
  lookup(host: string): Promise<readonly string[]>;
  /** PEM certificates of the authorities that are trusted without configuration. */
  readonly rootCertificates: readonly string[];
}

export interface Runtime {
  /** Name and version, for logs and `stats`: `node 20.20.2`. */
  readonly name: string;
  readonly files: Files;
  readonly hashing: Hashing;
  readonly clock: Clock;
  readonly processes: Processes;
  readonly network: Network;
  /** Loads the core that takes layers apart, with threads of its own; rejects with what to do when it cannot. */
  loadCore(choice: CoreChoice, threads?: CoreThreads): Promise<LoadedCore>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly workingDirectory: string;
  readonly homeDirectory: string;
  /** Where files go that nobody needs later. */
  readonly temporaryDirectory: string;
  readonly isRoot: boolean;
  /** The name or number of the user that runs Mica, for messages. */
  readonly userName?: string;
}
