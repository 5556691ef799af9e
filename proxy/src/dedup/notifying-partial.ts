// A partial blob that tells when it was committed.

import type { Digest } from '../oci/digest.ts';
import type { PartialBlob } from '../store/blob-store.ts';

export class NotifyingPartial implements PartialBlob {
  readonly #partial: PartialBlob;
  readonly #onCommitted: (size: number) => void;

  constructor(partial: PartialBlob, onCommitted: (size: number) => void) {
    this.#partial = partial;
    this.#onCommitted = onCommitted;
  }

  get digest(): Digest {
    return this.#partial.digest;
  }

  get length(): number {
    return this.#partial.length;
  }

  append(bytes: Uint8Array): Promise<void> {
    return this.#partial.append(bytes);
  }

  read(into: Uint8Array, position: number): Promise<number> {
    return this.#partial.read(into, position);
  }

  async commit(size: number): Promise<void> {
    await this.#partial.commit(size);
    this.#onCommitted(size);
  }

  suspend(): Promise<void> {
    return this.#partial.suspend();
  }

  discard(): Promise<void> {
    return this.#partial.discard();
  }

  close(): Promise<void> {
    return this.#partial.close();
  }
}
