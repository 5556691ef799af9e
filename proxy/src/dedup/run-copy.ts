// Where what is made for clients goes too, beside them: a whole copy of the layer, where one is wanted.

/** Takes a run's bytes in order. None of it rejects: a copy that fails is nothing to those who read. */
export interface RunCopy {
  /** Takes bytes at a position. Resolves when it can take more. The bytes must stay as they are. */
  append(bytes: Uint8Array, position: number): Promise<void>;
  /** No more bytes come: all were there, or the run has ended before. */
  end(isWhole: boolean): void;
}
