// Open descriptors of blobs, shared by all who read the same blob and kept a while for the next one.

import type { Digest } from '../oci/digest.ts';
import type { Clock, Files, OpenFile } from '../runtime/runtime.ts';
import { hasCode } from './file-error.ts';
import { openSized } from './open-sized.ts';

/** Descriptors kept open without a reader: an eighth of the usual limit of 1024 per process. */
const MAX_IDLE = 128;

/** How long one is kept without a reader, in ms: a file that another process removed frees its space then. */
const IDLE_MS = 10_000;

/** A committed blob's file, open. */
export interface OpenBlob {
  readonly digest: Digest;
  readonly file: OpenFile;
  readonly size: number;
  /** Readers now. */
  users: number;
  /** Whether the name is gone or means another file by now: nobody new gets this one. */
  isRetired: boolean;
  isClosed: boolean;
  idleSinceMs: number;
}

export class OpenBlobs {
  readonly #files: Files;
  readonly #clock: Clock;
  /** In order of last use, so that the first idle one is the oldest. */
  readonly #blobs: Map<Digest, OpenBlob> = new Map();
  readonly #opening: Map<Digest, Promise<OpenBlob | undefined>> = new Map();
  #idle = 0;
  readonly #ended: AbortController = new AbortController();
  #isSweeping = false;

  constructor(files: Files, clock: Clock) {
    this.#files = files;
    this.#clock = clock;
  }

  /** The blob's size when it is open already. */
  size(digest: Digest): number | undefined {
    return this.#blobs.get(digest)?.size;
  }

  /** The open blob with one more user; opens it if need be, undefined when it is absent. */
  async acquire(digest: Digest, path: string): Promise<OpenBlob | undefined> {
    const open = this.#blobs.get(digest);
    if (open !== undefined) return this.hold(open);
    const opened = await (this.#opening.get(digest) ?? this.#open(digest, path));
    // Retired in the moment between its opening and this one: it was closed, having had no user.
    if (opened?.isClosed === true) return await this.acquire(digest, path);
    return opened === undefined ? undefined : this.hold(opened);
  }

  /** Counts one more user of a blob, which moves to the end of the order of use. */
  hold(blob: OpenBlob): OpenBlob {
    if (blob.users === 0) this.#idle -= 1;
    blob.users += 1;
    if (!blob.isRetired) {
      this.#blobs.delete(blob.digest);
      this.#blobs.set(blob.digest, blob);
    }
    return blob;
  }

  release(blob: OpenBlob): void {
    blob.users -= 1;
    if (blob.users > 0) return;
    if (blob.isRetired || this.#ended.signal.aborted) {
      this.#closeFile(blob);
      return;
    }
    this.#idle += 1;
    blob.idleSinceMs = this.#clock.now();
    if (this.#idle > MAX_IDLE) this.#closeOldest();
    if (!this.#isSweeping) void this.#sweep();
  }

  /** The digest's name is gone or means another file: who reads goes on, who comes opens anew. */
  retire(digest: Digest): void {
    this.#opening.delete(digest);
    const blob = this.#blobs.get(digest);
    if (blob === undefined) return;
    this.#blobs.delete(digest);
    blob.isRetired = true;
    if (blob.users > 0) return;
    this.#idle -= 1;
    this.#closeFile(blob);
  }

  /** Closes what nobody reads; the rest closes with its last reader. */
  close(): void {
    this.#ended.abort();
    for (const digest of [...this.#blobs.keys()]) this.retire(digest);
  }

  /** Opens the file and remembers it, unless its name was retired meanwhile. */
  #open(digest: Digest, path: string): Promise<OpenBlob | undefined> {
    const opening = this.#openFile(digest, path).then(
      (blob) => {
        const isCurrent = this.#opening.get(digest) === opening && !this.#ended.signal.aborted;
        if (isCurrent) this.#opening.delete(digest);
        if (blob === undefined) return undefined;
        if (isCurrent) this.#blobs.set(digest, blob);
        else blob.isRetired = true;
        this.#idle += 1;
        return blob;
      },
      (error: unknown) => {
        if (this.#opening.get(digest) === opening) this.#opening.delete(digest);
        throw error;
      },
    );
    this.#opening.set(digest, opening);
    return opening;
  }

  async #openFile(digest: Digest, path: string): Promise<OpenBlob | undefined> {
    try {
      const { file, size } = await openSized(this.#files, path, 'read');
      return { digest, file, size, users: 0, isRetired: false, isClosed: false, idleSinceMs: 0 };
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return undefined;
      throw error;
    }
  }

  /** Closes what was idle for long, as long as anything is idle. */
  async #sweep(): Promise<void> {
    const { signal } = this.#ended;
    this.#isSweeping = true;
    while (this.#idle > 0 && !signal.aborted) {
      // The only rejection of sleep() is the abort, which ends the loop.
      await this.#clock.sleep(IDLE_MS, signal).catch(() => undefined);
      const before = this.#clock.now() - IDLE_MS;
      for (const blob of [...this.#blobs.values()]) {
        if (blob.users === 0 && blob.idleSinceMs <= before) this.retire(blob.digest);
      }
    }
    this.#isSweeping = false;
  }

  #closeOldest(): void {
    for (const blob of this.#blobs.values()) {
      if (blob.users > 0) continue;
      this.retire(blob.digest);
      return;
    }
  }

  #closeFile(blob: OpenBlob): void {
    blob.isClosed = true;
    // Nothing was written through it, so a failing close loses nothing.
    blob.file.close().catch(() => undefined);
  }
}
