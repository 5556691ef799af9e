// Memory that one piece of a layer after the other is given out in. A collector frees what was read
// late: pieces of their own took up to 70 MB more than those that were still of use.

export class PieceRoom {
  readonly #size: number;
  #buffer = new ArrayBuffer(0);

  /** @param size Bytes of the largest piece. */
  constructor(size: number) {
    this.#size = size;
  }

  /** Room for the next piece. The one before is empty from now on, so that nobody takes it for another. */
  next(length: number): Uint8Array {
    const before = this.#buffer;
    // Empty at first, and when its reader has transferred it.
    const isThere = before.byteLength > 0;
    this.#buffer = isThere
      ? structuredClone(before, { transfer: [before] })
      : new ArrayBuffer(this.#size);
    return new Uint8Array(this.#buffer, 0, length);
  }
}
