// A committed blob as a source: any position at once, the last bytes only once the whole was checked.

import type { BlobSource } from './blob-store.ts';
import { ShortBlobError } from './blob-store.ts';
import { hasCode } from './file-error.ts';
import { HELD_BACK_TAIL } from './held-back-tail.ts';
import type { OpenBlob } from './open-blobs.ts';

/** What a check of a whole blob found; `unknown` when it could not be done. */
export type Verdict = 'whole' | 'damaged' | 'unknown';

export interface StoredSourceOptions {
  readonly blob: OpenBlob;
  /** The check that is under way; absent when the bytes were checked lately. */
  readonly check?: Promise<Verdict> | undefined;
  /** The file cannot be read as it should. */
  onDamage(): Promise<void>;
  onClose(): void;
}

export class StoredSource implements BlobSource {
  readonly #options: StoredSourceOptions;
  #check: Promise<Verdict> | undefined;
  #isClosed = false;

  constructor(options: StoredSourceOptions) {
    this.#options = options;
    this.#check = options.check;
  }

  get size(): number {
    return this.#options.blob.size;
  }

  get identity(): object | undefined {
    return this.#check === undefined ? this.#options.blob : undefined;
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    const wanted = Math.min(into.length, this.size - position);
    if (wanted <= 0) return 0;
    if (this.#check === undefined) return await this.#readFile(into, wanted, position);
    const open = this.size - HELD_BACK_TAIL - position;
    if (open > 0) return await this.#readFile(into, Math.min(wanted, open), position);
    const verdict = await this.#check;
    if (verdict !== 'whole') throw this.#short(`its check said: ${verdict}`);
    this.#check = undefined;
    return await this.#readFile(into, wanted, position);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#options.onClose();
  }

  async #readFile(into: Uint8Array, wanted: number, position: number): Promise<number> {
    if (this.#isClosed) throw this.#short('the source was closed');
    const target = into.length === wanted ? into : into.subarray(0, wanted);
    let count: number;
    try {
      count = await this.#options.blob.file.read(target, position);
    } catch (error) {
      if (hasCode(error, 'EIO')) await this.#options.onDamage();
      throw this.#short(`it cannot be read at ${position}`, error);
    }
    if (count > 0) return count;
    await this.#options.onDamage();
    throw this.#short(`its file ends at ${position}`);
  }

  #short(reason: string, cause?: unknown): ShortBlobError {
    const { digest, size } = this.#options.blob;
    return new ShortBlobError(
      digest,
      `${digest}: not all ${size} bytes can be given: ${reason}`,
      cause === undefined ? undefined : { cause },
    );
  }
}
