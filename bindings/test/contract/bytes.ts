// Bytes for tests: the same ones for the same seed.

/** Bytes that do not repeat within the first gigabytes (xorshift32, doi.org/10.18637/jss.v008.i14). */
export function makeBytes(size: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(size);
  let state = seed;
  for (let index = 0; index < size; index += 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[index] = state;
  }
  return bytes;
}
