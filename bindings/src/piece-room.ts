// Memory that one piece of a layer after the other is given out in. A collector frees what was read
// late: pieces of their own took up to 70 MB more than those that were still of use.

export class PieceRoom {
  readonly #size: number;
  #buffer = new ArrayBuffer(0);

  /** @param size Bytes of the largest piece, if no other is asked for. */
  constructor(size: number) {
    this.#size = size;
  }

  /** Room for the next piece. The one before is empty from now on, so that nobody takes it for another. */
  next(length: number): Uint8Array {
    const before = this.#buffer;
    // Empty at first, and when its reader has transferred it, which cannot be done twice.
    const again = before.byteLength > 0 ? structuredClone(before, { transfer: [before] }) : before;
    const isEnough = again.byteLength > 0 && again.byteLength >= length;
    this.#buffer = isEnough ? again : new ArrayBuffer(Math.max(this.#size, length));
    return new Uint8Array(this.#buffer, 0, length);
  }
}
